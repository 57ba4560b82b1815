-- Version 3: partitions made and detached, and who may read.

-- A table of its own is made and then attached: that does not lock readers of the table out, as PARTITION OF would.
CREATE FUNCTION ringside.make_partition(parent text, wanted date, options text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := parent || to_char(wanted, '_YYYY_MM_DD');
    known regclass := to_regclass('ringside.' || name);
BEGIN
    IF known IS NOT NULL THEN
        IF NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = known) THEN
            RAISE EXCEPTION 'ringside.% is detached: drop it or move it elsewhere, its day is to be written again', name;
        END IF;
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE ringside.%I (LIKE ringside.%I INCLUDING DEFAULTS INCLUDING GENERATED'
                   ' INCLUDING COMMENTS) %s', name, parent, options);
    EXECUTE format('ALTER TABLE ringside.%I ATTACH PARTITION ringside.%I FOR VALUES FROM (%L) TO (%L)', parent, name,
                   wanted, wanted + 1);
END $$;
COMMENT ON FUNCTION ringside.make_partition IS 'Makes the partition of a day, if it is not there';

-- The writers begin a day with these, in the transaction of its first rows. The next day is made ahead.
CREATE FUNCTION ringside.begin_day(wanted date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE parent text;
BEGIN
    FOREACH parent IN ARRAY ARRAY['order_events', 'executions', 'rejections'] LOOP
        PERFORM ringside.make_partition(parent, wanted, ''), ringside.make_partition(parent, wanted + 1, '');
    END LOOP;
END $$;
COMMENT ON FUNCTION ringside.begin_day IS 'Makes the partitions of a day and of the next, of the tables that only grow';

CREATE FUNCTION ringside.begin_order_day(wanted date, first_ref bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ringside.make_partition('orders', each, 'WITH (fillfactor = 60)')
        FROM unnest(ARRAY[wanted, wanted + 1]) AS each;
    INSERT INTO ringside.order_days VALUES (wanted, first_ref) ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION ringside.begin_order_day IS 'Makes the partitions of orders of a day and of the next';

CREATE VIEW ringside.partitions AS
    SELECT p.relname::text AS parent, to_date(right(c.relname, 10), 'YYYY_MM_DD') AS day, c.relname::text AS name,
           pg_total_relation_size(c.oid) AS bytes
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
     WHERE p.relkind = 'p' AND p.relnamespace = 'ringside'::regnamespace AND c.relkind = 'r';
COMMENT ON VIEW ringside.partitions IS 'The days that are attached, and how large they are';

-- Its tables stay, as ringside.orders_2026_11_24 and so on, to be dumped, moved or dropped.
CREATE FUNCTION ringside.detach_day(old date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE part record;
BEGIN
    IF old >= (SELECT max(to_timestamp(event_time_ns / 1000000000) AT TIME ZONE 'UTC')::date FROM ringside.high_water)
    THEN
        RAISE EXCEPTION '% is not over', old;
    END IF;
    IF EXISTS (SELECT FROM ringside.orders WHERE day = old AND state = 'live') THEN
        RAISE EXCEPTION 'orders of % are still live', old;
    END IF;
    FOR part IN SELECT parent, name FROM ringside.partitions WHERE day = old LOOP
        EXECUTE format('ALTER TABLE ringside.%I DETACH PARTITION ringside.%I', part.parent, part.name);
    END LOOP;
END $$;
COMMENT ON FUNCTION ringside.detach_day IS 'Takes a day that is over out of the tables; its own tables stay';

-- A role to grant to whoever reads. One server has one, whatever databases are in it; where the persister may not make
-- it, an administrator does, and runs the grants below.
DO $$
BEGIN
    CREATE ROLE ringside_reader NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
    NULL;
END $$;
DO $$
BEGIN
    GRANT USAGE ON SCHEMA ringside TO ringside_reader;
    GRANT SELECT ON ALL TABLES IN SCHEMA ringside TO ringside_reader;
    ALTER DEFAULT PRIVILEGES IN SCHEMA ringside GRANT SELECT ON TABLES TO ringside_reader;
EXCEPTION WHEN undefined_object THEN
    NULL;
END $$;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ringside FROM PUBLIC;

INSERT INTO ringside.schema_version (version) VALUES (3);
