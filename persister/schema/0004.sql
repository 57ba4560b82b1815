-- Version 4: who came from where, and what operators did.

CREATE TABLE ringside.logins (
    event_seq bigint PRIMARY KEY,
    session   integer,
    user_name text,
    firm      text,
    result    text NOT NULL,
    reason    text,
    gateway   integer NOT NULL,
    peer      inet,
    peer_port integer,
    at        timestamptz NOT NULL,
    at_ns     bigint NOT NULL
);
CREATE INDEX logins_user_name ON ringside.logins (user_name, event_seq);
COMMENT ON TABLE ringside.logins IS 'One row a login that was accepted or refused, and a session that was closed';
COMMENT ON COLUMN ringside.logins.session IS 'NULL: a user that never logged in';
COMMENT ON COLUMN ringside.logins.result IS 'accepted, refused or closed';
COMMENT ON COLUMN ringside.logins.peer IS 'Where it came from; NULL for closed, see the login before it';

CREATE TABLE ringside.operator_actions (
    event_seq      bigint PRIMARY KEY,
    operator_id    bigint NOT NULL,
    operator_name  text NOT NULL,
    action         text NOT NULL,
    refused_code   integer NOT NULL,
    refused        text,
    instrument     integer,
    user_name      text,
    firm           text,
    market_state   text,
    match_number   bigint,
    target_gateway integer,
    acted_at       timestamptz NOT NULL,
    acted_ns       bigint NOT NULL
);
COMMENT ON TABLE ringside.operator_actions IS 'One row whatever an operator asked for: who, what, when, and what came of it';
COMMENT ON COLUMN ringside.operator_actions.operator_id IS 'The user id of the process that asked';
COMMENT ON COLUMN ringside.operator_actions.refused IS 'Why it was refused; NULL: it was done';

INSERT INTO ringside.schema_version (version) VALUES (4);
