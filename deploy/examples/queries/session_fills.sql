-- A user's fills of a day, in the order in which they happened.
-- psql -v day=2026-11-24 -v user=USER01 -f session_fills.sql
SELECT e.executed_at, e.symbol, e.side, e.quantity, e.price, e.liquidity, e.order_ref, e.user_ref, e.match_number
  FROM ringside.executions AS e
  JOIN ringside.sessions AS s USING (session)
 WHERE s.user_name = :'user' AND e.day = :'day'
 ORDER BY e.event_seq;
