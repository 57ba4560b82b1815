-- Who traded most on a day, by value: both sides of each trade count, each for its own user.
-- psql -v day=2026-11-24 -f top_traders.sql
SELECT s.user_name, s.firm, count(*) AS fills, sum(e.quantity) AS shares, sum(e.quantity * e.price) AS value,
       round(avg(e.is_maker::integer), 3) AS part_as_maker
  FROM ringside.executions AS e
  JOIN ringside.sessions AS s USING (session)
 WHERE e.day = :'day'
 GROUP BY s.user_name, s.firm
 ORDER BY value DESC
 LIMIT 10;
