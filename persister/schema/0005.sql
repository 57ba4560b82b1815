-- Version 5: a day is over when both writers are past it. The writer of orders may be behind the other; a day taken from
-- under it would stop it.

CREATE OR REPLACE FUNCTION ringside.detach_day(old date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE part record;
BEGIN
    IF old >= (SELECT min(to_timestamp(event_time_ns / 1000000000) AT TIME ZONE 'UTC')::date FROM ringside.high_water)
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

INSERT INTO ringside.schema_version (version) VALUES (5);
