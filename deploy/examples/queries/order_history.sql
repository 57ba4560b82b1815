-- All that happened to an order, by any number that it had, and to the orders that it replaced.
-- psql -v order_ref=42 -f order_history.sql
WITH RECURSIVE numbers (order_ref) AS (
    VALUES (:order_ref::bigint)
    UNION
    SELECT e.previous_order_ref
      FROM numbers JOIN ringside.order_events AS e USING (order_ref)
     WHERE e.previous_order_ref IS NOT NULL
)
SELECT e.happened_at, e.event_seq, e.order_ref, e.step, e.quantity, e.price, e.leaves, e.reason, e.match_number
  FROM numbers JOIN ringside.order_events AS e USING (order_ref)
 ORDER BY e.event_seq, e.order_ref;
