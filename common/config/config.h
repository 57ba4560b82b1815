/*
 * The configuration: one table of options, from which come the struct below, the parser's bounds, `--help`, the
 * annotated deploy/ringside.conf and the man page. The file is in INI form, read by inih.
 *
 * An option is [section] name; its field is section_name. Unknown sections or names, bad values and values out of
 * bounds refuse the start, with file, line and the rule. Any option can be overridden on the command line:
 * --set section.name=value.
 */
#ifndef RINGSIDE_CONFIG_H
#define RINGSIDE_CONFIG_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_TEXT_BYTES      256
#define CONFIG_INSTRUMENTS_MAX 100000
#define CONFIG_FIRMS_MAX       1000

enum config_durability {
    DURABILITY_SYNC,  /* on the disk before it is told: survives a power cut */
    DURABILITY_WRITE, /* handed to the kernel before it is told: survives a killed process */
    DURABILITY_OFF,   /* told before it is written: for benchmarks */
};

enum config_wait {
    WAIT_AUTO, /* spin if there is a core for each process of the run, else park */
    WAIT_SPIN,
    WAIT_PARK,
};

enum config_lock_memory {
    LOCK_MEMORY_AUTO, /* if RLIMIT_MEMLOCK is infinity: somebody who knows the machine said so */
    LOCK_MEMORY_YES,  /* or the stage does not start */
    LOCK_MEMORY_NO,
};

enum config_second_login {
    SECOND_LOGIN_TAKEOVER, /* a later login of a user gets the session, the earlier connection is closed */
    SECOND_LOGIN_REFUSE,   /* a later login is refused as long as the earlier connection is there */
};

enum config_switch {
    SWITCH_NO,
    SWITCH_YES,
};

enum config_tls_version {
    TLS_VERSION_1_2,
    TLS_VERSION_1_3,
};

enum config_log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

/*
 * TEXT(section, name, default, help)
 * NUMBER(section, name, default, min, max, help): u64; the file may use the suffixes K, M, G (powers of 1024)
 * CHOICE(section, name, enum_type, default, "a|b|c" in the order of the enum, help)
 */
#define CONFIG_OPTIONS(TEXT, NUMBER, CHOICE)                                                                           \
    TEXT(exchange, rings_directory, "/dev/shm/ringside", "directory of the rings, in memory; one a running exchange")  \
    NUMBER(exchange, gateways, 1, 1, 8, "gateways of the run")                                                         \
    CHOICE(exchange, wait, config_wait, WAIT_AUTO, "auto|spin|park", "what a stage does when it has nothing to do")    \
    CHOICE(                                                                                                            \
        exchange, lock_memory, config_lock_memory, LOCK_MEMORY_AUTO, "auto|yes|no",                                    \
        "whether a stage's memory is kept from being paged out; auto: where its limit of locked memory is infinity")   \
    CHOICE(exchange, log_level, config_log_level, LOG_LEVEL_INFO, "error|warning|info|debug", "what is logged")        \
    NUMBER(exchange, tick_ms, 100, 1, 60000, "how often time passes for orders that are to end by the clock")          \
    CHOICE(metrics, enabled, config_switch, SWITCH_YES, "no|yes",                                                      \
           "whether each process keeps a metrics file beside the rings, see docs/metrics.md")                          \
    NUMBER(rings, inbound_slots, 16384, 64, 16777216, "slots of each inbound ring, a power of two")                    \
    NUMBER(rings, command_slots, 16384, 64, 16777216, "slots of the command ring, a power of two")                     \
    NUMBER(rings, event_slots, 32768, 64, 16777216, "slots of the event ring, a power of two")                         \
    TEXT(journal, directory, "/var/lib/ringside/journal", "directory of the journal's segments")                       \
    CHOICE(journal, durability, config_durability, DURABILITY_SYNC, "sync|write|off",                                  \
           "what must have happened to a "                                                                             \
           "command before anybody hears of it: on disk, with the kernel, or nothing")                                 \
    NUMBER(journal, segment_bytes, 268435456, 1048576, 4294967296, "bytes of a segment, a multiple of 4096")           \
    NUMBER(journal, reserve_segments, 2, 0, 64,                                                                        \
           "segments for which there must be space on the disk, else new orders are refused; 0: never")                \
    NUMBER(journal, batch_bytes, 262144, 8192, 4194304, "largest batch written at once, a multiple of 4096")           \
    TEXT(events, directory, "/var/lib/ringside/events", "directory of the event log")                                  \
    TEXT(snapshots, directory, "/var/lib/ringside/snapshots", "directory of the snapshots of the books")               \
    NUMBER(snapshots, every_commands, 100000, 1000, 1000000000, "commands from one snapshot to the next")              \
    NUMBER(snapshots, keep, 2, 2, 60, "snapshots that are kept, the newest ones")                                      \
    TEXT(retention, archive_path, "",                                                                                  \
         "directory, best on another disk, to which trimming moves segments and copies event files; empty: none")      \
    NUMBER(retention, retain_bytes_max, 0, 0, 1099511627776,                                                           \
           "bytes of events of earlier days that are kept for a store that is away; more, and it must be rebuilt; 0: " \
           "as many as it needs")                                                                                      \
    NUMBER(engine, orders_max, 1048576, 1024, 67108864, "live orders at one time")                                     \
    NUMBER(engine, instruments_max, 1024, 1, 131072, "instruments")                                                    \
    NUMBER(engine, sessions_max, 16384, 1, 65536, "users that ever logged in")                                         \
    NUMBER(engine, levels_max, 4096, 64, 1048576,                                                                      \
           "prices of an instrument that are reached without a search, a "                                             \
           "power of two")                                                                                             \
    TEXT(gateway, address, "127.0.0.1", "address that gateways listen on")                                             \
    NUMBER(gateway, port, 9001, 1, 65535, "port of gateway 1; gateway 2 listens on the next, and so on")               \
    TEXT(gateway, tls_address, "", "address that gateways listen on for TLS; empty: gateway.address")                  \
    NUMBER(gateway, tls_port, 0, 0, 65535,                                                                             \
           "port of gateway 1 for TLS; gateway 2 listens on the next, and so on; 0: no TLS")                           \
    TEXT(gateway, tls_certificate, "", "PEM file of the certificate, with those between it and a trusted one")         \
    TEXT(gateway, tls_key, "", "PEM file of its private key")                                                          \
    CHOICE(gateway, tls_version_min, config_tls_version, TLS_VERSION_1_2, "1.2|1.3", "oldest version of TLS spoken")   \
    TEXT(gateway, tls_client_ca, "",                                                                                   \
         "PEM file of certificates, by one of which a client's must be signed; empty: clients need none")              \
    NUMBER(gateway, tls_handshakes_per_s, 100, 1, 1000000,                                                             \
           "connections by TLS that one address may open a second; more are closed unheard")                           \
    NUMBER(gateway, tls_handshake_percent, 20, 1, 100,                                                                 \
           "share of a gateway's time that handshakes of TLS may take, in hundredths")                                 \
    TEXT(gateway, accounts, "/etc/ringside/accounts", "file of users, firms and salted password hashes")               \
    TEXT(gateway, members, "", "file of what members may do, see docs/gateway.md; empty: no limits")                   \
    CHOICE(gateway, second_login, config_second_login, SECOND_LOGIN_TAKEOVER, "takeover|refuse",                       \
           "what a later login of a user gets while an earlier one is there, unless gateway.members says otherwise")   \
    NUMBER(gateway, login_failures, 10, 1, 1000000,                                                                    \
           "wrong passwords from one address, or for one user, after which logins are refused unseen")                 \
    NUMBER(gateway, login_pause_ms, 2000, 1, 3600000, "time after which one more may be tried then")                   \
    NUMBER(gateway, connections_max, 1024, 1, 100000, "connections of one gateway at one time")                        \
    NUMBER(gateway, login_timeout_ms, 30000, 100, 600000,                                                              \
           "a connection that has not asked to log in by then is closed")                                              \
    NUMBER(gateway, heartbeat_ms, 1000, 10, 60000, "a heartbeat is sent when nothing was for so long")                 \
    NUMBER(gateway, silence_ms, 15000, 100, 600000, "a client that has sent nothing for so long is gone")              \
    NUMBER(gateway, unread_ms, 300000, 100, 86400000,                                                                  \
           "a client that has read nothing for so long, while something waited for it, is dropped")                    \
    NUMBER(gateway, strangers_max, 0, 0, 100000,                                                                       \
           "connections that have not asked to log in yet; of more, the one that waited longest is closed; 0: half "   \
           "of connections_max")                                                                                       \
    NUMBER(gateway, mistakes_max, 1000, 1, 1000000000,                                                                 \
           "messages of one connection that cannot be understood, after which it is closed")                           \
    NUMBER(gateway, frame_bytes_max, 1024, 64, 65537, "longest frame of a client")                                     \
    NUMBER(gateway, output_bytes, 262144, 4096, 16777216,                                                              \
           "output buffer of a connection; behind it a slow reader "                                                   \
           "is served from the event log")                                                                             \
    NUMBER(gateway, index_bytes, 67108864, 65536, 1099511627776,                                                       \
           "memory for the index of what each session has "                                                            \
           "been told, one to two bytes a message; what is older is looked for in the event log")                      \
    NUMBER(                                                                                                            \
        gateway, note_events, 131072, 16, 1073741824,                                                                  \
        "events from one note of the streams, beside the rings, to the next: a gateway that was killed reads about "   \
        "twice as many when it starts")                                                                                \
    TEXT(gateway, index_file, "",                                                                                      \
         "file to map for that index, for one larger than memory; gateway N puts -N behind it, so that each has its "  \
         "own; empty: memory")                                                                                         \
    TEXT(monitor, address, "127.0.0.1", "address that ringside-monitor serves metrics, health and its page on")        \
    NUMBER(monitor, port, 9180, 1, 65535, "its port")                                                                  \
    NUMBER(monitor, refresh_ms, 250, 20, 10000, "time from one look to the next: what it tells is at most so old")     \
    NUMBER(monitor, silent_ms, 1500, 500, 600000, "a process that lives but gave no sign for so long is silent")       \
    NUMBER(monitor, blocked_ms, 1000, 10, 600000, "a ring that has been full for so long is an alarm")                 \
    NUMBER(monitor, ring_fill_percent, 80, 1, 100, "a ring that is fuller is a warning")                               \
    NUMBER(monitor, disk_free_percent, 10, 0, 100, "a disk with less space is a warning")                              \
    NUMBER(monitor, clock_offset_ms, 50, 1, 3600000, "a clock further off than that is a warning")                     \
    NUMBER(monitor, store_lag_s, 30, 1, 86400, "a store that shows what is older is a warning")                        \
    TEXT(admin, socket, "", "socket of ringside-admin; empty: admin.sock in the directory of the rings")               \
    TEXT(admin, group, "", "group whose members may administer, besides root and the user of the exchange")            \
    NUMBER(persister, catch_up_times, 3, 0, 1000,                                                                      \
           "a store that missed something gets it at so many times the live rate; 0: as fast as it can")               \
    TEXT(postgres, connection, "", "libpq connection string; empty: no PostgreSQL")                                    \
    NUMBER(postgres, batch_events, 131072, 1, 1048576, "most events of one transaction")                               \
    NUMBER(postgres, batch_ms, 8, 0, 10000, "time from one transaction to the next, unless one is full")               \
    TEXT(redis, address, "", "host:port or the path of a socket; empty: no Redis")                                     \
    TEXT(redis, prefix, "ringside", "first part of every key")                                                         \
    NUMBER(redis, batch_events, 1024, 1, 65536, "most events of one stream entry")                                     \
    NUMBER(redis, batch_ms, 2, 0, 10000, "time from one stream entry to the next, unless one is full")                 \
    NUMBER(redis, stream_entries_max, 100000, 1, 1000000000, "entries kept in the stream, about")                      \
    NUMBER(redis, stream_age_s, 0, 0, 31536000, "seconds that entries are kept in the stream, about; 0: any time")

/* An instrument, from the lines of [instruments]: SYMBOL = tick 0.01 lot 1 reference 585.33 collar 5 state open */
struct config_instrument {
    char symbol[8]; /* space-padded */
    int32_t tick_ticks;
    uint32_t lot_quantity;
    int32_t reference_ticks;
    int32_t collar_ticks; /* of all limits 0: none is named */
    int32_t fat_finger_ticks;
    uint32_t quantity_max;
    uint64_t notional_max; /* price in ticks x quantity */
    uint8_t market_state;  /* in which it begins, the letter of the records; 0: open */
};

/* Limits of a firm, from the lines of [firms]: FRMA = quantity_max 10000 notional_max 5000000 */
struct config_firm {
    char firm[4]; /* space-padded */
    uint32_t quantity_max;
    uint64_t notional_max;
};

struct config {
#define TEXT(section, name, fallback, help)                  char section##_##name[CONFIG_TEXT_BYTES];
#define NUMBER(section, name, fallback, min, max, help)      uint64_t section##_##name;
#define CHOICE(section, name, type, fallback, choices, help) enum type section##_##name;
    CONFIG_OPTIONS(TEXT, NUMBER, CHOICE)
#undef TEXT
#undef NUMBER
#undef CHOICE
    char path[CONFIG_TEXT_BYTES]; /* the file it was read from; empty: defaults only */
    uint32_t instrument_count;
    struct config_instrument *instruments; /* owned; released by config_finish */
    uint32_t firm_count;
    struct config_firm *firms; /* owned; so are they */
};

/* All defaults, no instruments. */
void config_init(struct config *config);
void config_finish(struct config *config);

/* Reads a file over the values that are there. */
int config_read(struct config *config, const char *path, struct error *error);

/* One override, "section.name=value" (an instrument: "instruments.AAPL=tick 0.01 lot 1"; a firm in the same way). */
int config_set(struct config *config, const char *assignment, struct error *error);

/* Checks rules between options (powers of two, multiples); call after reading and overriding. */
int config_check(const struct config *config, struct error *error);

const char *config_durability_name(enum config_durability durability);
const char *config_wait_name(enum config_wait wait);

/* The options as an annotated file, or as a man page's list; a test compares deploy/ringside.conf with the first. */
size_t config_describe(char *text, size_t text_bytes, bool as_man_page);

#endif
