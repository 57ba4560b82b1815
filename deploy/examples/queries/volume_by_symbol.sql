-- Today's volume by symbol: trades, shares, their value and the average price. One side of each trade is counted.
-- `day` is the calendar day in UTC; with it in the condition only that day's partition is read.
-- psql -v day=2026-11-24 -f volume_by_symbol.sql
SELECT symbol, count(*) AS trades, sum(quantity) AS shares, sum(quantity * price) AS value,
       round(sum(quantity * price) / sum(quantity), 4) AS average_price
  FROM ringside.executions
 WHERE day = :'day' AND NOT is_maker
 GROUP BY symbol
 ORDER BY value DESC;
