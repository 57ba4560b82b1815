-- How long orders of a day waited for their first fill, by symbol: median, 99th percentile and longest, in microseconds.
-- Times are those of the sequencer, in ns; orders that took liquidity at once have 0.
-- psql -v day=2026-11-24 -f order_to_fill_times.sql
SELECT symbol, count(*) AS filled_orders,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY waited_ns) / 1000 AS median_us,
       percentile_cont(0.99) WITHIN GROUP (ORDER BY waited_ns) / 1000 AS p99_us,
       max(waited_ns) / 1000 AS longest_us
  FROM (SELECT o.symbol, min(e.executed_ns) - min(o.entered_ns) AS waited_ns
          FROM ringside.orders AS o
          JOIN ringside.executions AS e USING (order_ref)
         WHERE o.day = :'day' AND e.day = :'day'
         GROUP BY o.order_ref, o.symbol) AS first_fills
 GROUP BY symbol
 ORDER BY symbol;
