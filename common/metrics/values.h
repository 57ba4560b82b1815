/*
 * Every value of every process: the tables that their metrics files are made of, and docs/metrics.md with them.
 *
 * Each file has the values of PROCESS_VALUES, which the stage's loop keeps, and those of its stage. What is counted as
 * it happens is as old as the last batch; what is brought in by the stage's `measure` is up to 100 ms old, and what is
 * asked of the kernel up to a second.
 */
#ifndef RINGSIDE_METRICS_VALUES_H
#define RINGSIDE_METRICS_VALUES_H

#include "metrics/metrics.h"
#include "metrics/stamps.h"

#define PROCESS_VALUES(COUNTER, GAUGE, SIGNED, HISTOGRAM, FAMILY, STAMPS)                                              \
    COUNTER(busy_polls, "ringside_process_polls_total", "found=\"work\"", NONE, "polls, by what they found")           \
    COUNTER(empty_polls, "ringside_process_polls_total", "found=\"nothing\"", NONE, "polls, by what they found")       \
    COUNTER(records, "ringside_process_records_total", "", RECORDS, "records and other work that its polls handled")   \
    HISTOGRAM(batch, "ringside_process_batch_records", "", RECORDS, "records of a poll that found some")               \
    HISTOGRAM(cycle_ns, "ringside_process_cycle_seconds", "", NS, "from a poll that found work to the next poll")      \
    COUNTER(sleeps, "ringside_process_sleeps_total", "", NONE, "times it slept for want of work")                      \
    COUNTER(cpu_user_ns, "ringside_process_cpu_seconds_total", "mode=\"user\"", NS, "processor time of the process")   \
    COUNTER(cpu_system_ns, "ringside_process_cpu_seconds_total", "mode=\"system\"", NS,                                \
            "processor time of the process")                                                                           \
    GAUGE(resident_bytes, "ringside_process_resident_bytes", "", BYTES, "memory in use, shared rings included")        \
    GAUGE(resident_max_bytes, "ringside_process_resident_max_bytes", "", BYTES, "most memory that was ever in use")    \
    GAUGE(open_files, "ringside_process_open_files", "", NONE, "open files and sockets")                               \
    GAUGE(open_files_max, "ringside_process_open_files_max", "", NONE, "limit of open files and sockets")              \
    GAUGE(threads, "ringside_process_threads", "", NONE, "threads")                                                    \
    COUNTER(major_faults, "ringside_process_major_faults_total", "", NONE, "pages that had to be read from a disk")    \
    COUNTER(voluntary_switches, "ringside_process_switches_total", "kind=\"voluntary\"", NONE,                         \
            "times it gave its core away, or had to")                                                                  \
    COUNTER(involuntary_switches, "ringside_process_switches_total", "kind=\"involuntary\"", NONE,                     \
            "times it gave its core away, or had to")                                                                  \
    GAUGE(start_time_ns, "ringside_process_start_time_seconds", "", NS, "when its metrics began, since the epoch")

/* ---- the rings ----------------------------------------------------------------------------------------------------
 *
 * A producer's line tells how often and for how long it was held; here it is told by whom. The rings are "inbound"
 * (each gateway's own), "command" and "event".
 */
#define STALLS_NAME  "ringside_ring_stalls_total"
#define STALLS_HELP  "times the ring was full, by the consumer that had to be waited for"
#define BLOCKED_NAME "ringside_ring_blocked_seconds_total"
#define BLOCKED_HELP "time that the ring was full, by the consumer that had to be waited for"

/* ---- hops ---------------------------------------------------------------------------------------------------------
 *
 * The time of a record from one place to the next, in the file of the process where the hop ends: of each record when
 * few come, of one in up to 64 when many do (metrics/hops.h).
 *
 *   socket -> inbound -> command -> durable -> event -> socket        the whole way: ringside_way_seconds
 */
#define HOP_NAME "ringside_hop_seconds"
#define HOP_HELP "time of a record from one place of its way to the next"

#define SEQUENCER_VALUES(COUNTER, GAUGE, SIGNED, HISTOGRAM, FAMILY, STAMPS)                                            \
    COUNTER(commands, "ringside_sequencer_commands_total", "", RECORDS, "commands published")                          \
    COUNTER(ticks, "ringside_sequencer_ticks_total", "", RECORDS, "commands that only let time pass")                  \
    COUNTER(refused, "ringside_sequencer_refused_total", "", RECORDS,                                                  \
            "new orders refused because the journal's disk fills up")                                                  \
    GAUGE(command_next, "ringside_sequencer_command_next", "", NONE, "number of the next command")                     \
    COUNTER(stalls_journaler, STALLS_NAME, "ring=\"command\",by=\"journaler\"", NONE, STALLS_HELP)                     \
    COUNTER(stalls_matcher, STALLS_NAME, "ring=\"command\",by=\"matcher\"", NONE, STALLS_HELP)                         \
    COUNTER(blocked_journaler_ns, BLOCKED_NAME, "ring=\"command\",by=\"journaler\"", NS, BLOCKED_HELP)                 \
    COUNTER(blocked_matcher_ns, BLOCKED_NAME, "ring=\"command\",by=\"matcher\"", NS, BLOCKED_HELP)                     \
    HISTOGRAM(hop_ns, HOP_NAME, "hop=\"inbound-command\"", NS, HOP_HELP)                                               \
    SIGNED(clock_drift_ns, "ringside_clock_drift_seconds", "", NS,                                                     \
           "what the clock has gained on the monotonic one since the start")                                           \
    COUNTER(clock_steps, "ringside_clock_steps_total", "", NONE, "times the clock jumped by more than 10 ms")          \
    GAUGE(clock_held_ns, "ringside_clock_held_seconds", "", NS,                                                        \
          "how far the time of commands is ahead of a clock that was set back")

#define JOURNALER_VALUES(COUNTER, GAUGE, SIGNED, HISTOGRAM, FAMILY, STAMPS)                                            \
    COUNTER(commands, "ringside_journal_commands_total", "", RECORDS, "commands acknowledged")                         \
    COUNTER(batches, "ringside_journal_batches_total", "", NONE, "batches written, empty ones included")               \
    COUNTER(bytes, "ringside_journal_bytes_total", "", BYTES, "bytes of batches and segment headers written")          \
    HISTOGRAM(batch, "ringside_journal_batch_records", "", RECORDS, "commands of a batch")                             \
    HISTOGRAM(sync_ns, "ringside_journal_sync_seconds", "", NS,                                                        \
              "from submitting a batch until it is where the durability wants it")                                     \
    GAUGE(command_next, "ringside_journal_command_next", "", NONE, "commands below this number are acknowledged")      \
    GAUGE(pending, "ringside_journal_pending_records", "", RECORDS, "commands taken and not acknowledged yet")         \
    GAUGE(durability, "ringside_journal_durability", "", NONE, "0: sync, 1: write, 2: off")                            \
    GAUGE(epoch, "ringside_journal_epoch", "", NONE, "epoch of the current segment")                                   \
    GAUGE(segment, "ringside_journal_segment", "", NONE, "number of the current segment")                              \
    GAUGE(segment_used_bytes, "ringside_journal_segment_used_bytes", "", BYTES, "what of it is used")                  \
    GAUGE(segment_bytes, "ringside_journal_segment_bytes", "", BYTES, "its size")                                      \
    GAUGE(spare_ready, "ringside_journal_spare_ready", "", NONE, "1: the next segment is ready")                       \
    COUNTER(holds, "ringside_journal_holds_total", "", NONE, "times commands had to wait for a segment")               \
    GAUGE(free_bytes, "ringside_space_free_bytes", "of=\"journal\"", BYTES, "space left on the disk")                  \
    GAUGE(events_free_bytes, "ringside_space_free_bytes", "of=\"events\"", BYTES, "space left on the disk")            \
    GAUGE(reserve_bytes, "ringside_space_reserve_bytes", "", BYTES,                                                    \
          "space below which new orders are refused; 0: they never are")                                               \
    GAUGE(space_low, "ringside_space_low", "", NONE, "1: new orders are refused for want of space")                    \
    COUNTER(events, "ringside_eventlog_events_total", "", RECORDS, "events appended to the event log")                 \
    HISTOGRAM(events_batch, "ringside_eventlog_batch_records", "", RECORDS, "events appended at once")                 \
    GAUGE(event_next, "ringside_eventlog_event_next", "", NONE, "number of the next event of the event log")           \
    GAUGE(events_lag, "ringside_eventlog_lag_records", "", RECORDS, "events published and not in the event log yet")   \
    GAUGE(events_unsynced, "ringside_eventlog_unsynced_records", "", RECORDS,                                          \
          "events of the event log that are not on its disk yet")                                                      \
    HISTOGRAM(events_sync_ns, "ringside_eventlog_sync_seconds", "", NS, "time of a sync of the event log")             \
    GAUGE(events_no_space, "ringside_eventlog_no_space", "", NONE, "1: the event log waits for space")                 \
    HISTOGRAM(hop_ns, HOP_NAME, "hop=\"command-durable\"", NS, HOP_HELP)                                               \
    STAMPS(durable, "ringside_durable_stamp_seconds", "", NS, "when commands became durable", STAMPS_WORDS)

#define MATCHER_VALUES(COUNTER, GAUGE, SIGNED, HISTOGRAM, FAMILY, STAMPS)                                              \
    COUNTER(commands, "ringside_matcher_commands_total", "", RECORDS, "commands applied")                              \
    FAMILY(counter, events, "ringside_events_total", "kind", RECORDS, "events published, by kind", EVENT_NAME_COUNT,   \
           event_names)                                                                                                \
    FAMILY(counter, rejects, "ringside_rejects_total", "reason", RECORDS,                                              \
           "requests refused by the engine or, before it, by a gateway", REJECT_NAME_COUNT, reject_names)              \
    GAUGE(command_next, "ringside_matcher_command_next", "", NONE, "number of the next command to be applied")         \
    GAUGE(event_next, "ringside_matcher_event_next", "", NONE, "number of the next event")                             \
    GAUGE(live_orders, "ringside_live_orders", "", NONE, "orders in the books")                                        \
    GAUGE(instruments, "ringside_instruments", "", NONE, "instruments")                                                \
    GAUGE(sessions, "ringside_sessions_known", "", NONE, "users that ever logged in")                                  \
    GAUGE(timer_armed, "ringside_timer_armed", "", NONE, "1: an order is to end by the clock")                         \
    GAUGE(checkpoint_command, "ringside_checkpoint_command", "", NONE, "command of the last checkpoint")               \
    GAUGE(checkpoint_event_hash, "ringside_checkpoint_event_hash", "", NONE, "hash of all events up to it")            \
    GAUGE(checkpoint_state_hash, "ringside_checkpoint_state_hash", "", NONE, "hash of the books at it")                \
    GAUGE(recovery_ns, "ringside_recovery_seconds", "", NS, "time from the start until the books were made")           \
    GAUGE(recovered, "ringside_recovery_records", "", RECORDS, "commands replayed for that")                           \
    GAUGE(hash_differs, "ringside_replay_hash_differs", "", NONE, "1: it ended, as a replay parts from what was live") \
    COUNTER(stalls, STALLS_NAME, "ring=\"event\",by=\"event-log\"", NONE, STALLS_HELP)                                 \
    COUNTER(blocked_ns, BLOCKED_NAME, "ring=\"event\",by=\"event-log\"", NS, BLOCKED_HELP)                             \
    HISTOGRAM(hop_ns, HOP_NAME, "hop=\"durable-event\"", NS, HOP_HELP)                                                 \
    HISTOGRAM(command_event_ns, "ringside_command_event_seconds", "", NS,                                              \
              "from a command to what comes of it, syncing included")

#define GATEWAY_VALUES(COUNTER, GAUGE, SIGNED, HISTOGRAM, FAMILY, STAMPS)                                              \
    COUNTER(commands, "ringside_gateway_commands_total", "", RECORDS, "commands published, of clients and its own")    \
    COUNTER(messages, "ringside_gateway_messages_total", "when=\"live\"", RECORDS,                                     \
            "messages to sessions, as they happened or told again later")                                              \
    COUNTER(messages_behind, "ringside_gateway_messages_total", "when=\"later\"", RECORDS,                             \
            "messages to sessions, as they happened or told again later")                                              \
    COUNTER(bytes_in, "ringside_gateway_bytes_total", "direction=\"in\"", BYTES, "bytes from and to clients")          \
    COUNTER(bytes_out, "ringside_gateway_bytes_total", "direction=\"out\"", BYTES, "bytes from and to clients")        \
    COUNTER(reads, "ringside_gateway_reads_total", "", NONE, "times a socket was read and had something")              \
    COUNTER(sends, "ringside_gateway_sends_total", "", NONE, "times a socket was written to")                          \
    GAUGE(connections, "ringside_gateway_connections", "", NONE, "connections now")                                    \
    GAUGE(connections_max, "ringside_gateway_connections_max", "", NONE, "most connections that there may be")         \
    GAUGE(sessions, "ringside_gateway_sessions", "", NONE, "connections that are logged in now")                       \
    GAUGE(strangers, "ringside_gateway_strangers", "", NONE, "connections that have not asked to log in yet")          \
    COUNTER(accepted, "ringside_gateway_connections_total", "", NONE, "connections accepted")                          \
    COUNTER(logins, "ringside_gateway_logins_total", "result=\"accepted\"", NONE, "logins, by what came of them")      \
    COUNTER(login_refusals, "ringside_gateway_logins_total", "result=\"refused\"", NONE,                               \
            "logins, by what came of them")                                                                            \
    COUNTER(limit_refusals, "ringside_gateway_limit_refusals_total", "", RECORDS,                                      \
            "requests refused by a member's limits")                                                                   \
    COUNTER(complaints, "ringside_gateway_complaints_total", "", RECORDS, "messages that could not be understood")     \
    COUNTER(strangers_closed, "ringside_gateway_closed_total", "why=\"stranger\"", NONE,                               \
            "connections closed by the gateway for their manners")                                                     \
    COUNTER(unread_closed, "ringside_gateway_closed_total", "why=\"unread\"", NONE,                                    \
            "connections closed by the gateway for their manners")                                                     \
    COUNTER(mistaken_closed, "ringside_gateway_closed_total", "why=\"mistakes\"", NONE,                                \
            "connections closed by the gateway for their manners")                                                     \
    COUNTER(broken_closed, "ringside_gateway_closed_total", "why=\"broken packet\"", NONE,                             \
            "connections closed by the gateway for their manners")                                                     \
    COUNTER(untold, "ringside_gateway_untold_total", "", NONE,                                                         \
            "connections ended because what they asked for is damaged in the event log, or cannot be read")            \
    COUNTER(handshakes, "ringside_gateway_handshakes_total", "result=\"made\"", NONE, "TLS, by what came of it")       \
    COUNTER(handshakes_failed, "ringside_gateway_handshakes_total", "result=\"failed\"", NONE,                         \
            "TLS, by what came of it")                                                                                 \
    COUNTER(handshakes_refused, "ringside_gateway_handshakes_total", "result=\"unheard\"", NONE,                       \
            "TLS, by what came of it")                                                                                 \
    SIGNED(certificate_left_ns, "ringside_gateway_certificate_left_seconds", "", NS,                                   \
           "until the certificate of the port for TLS ends; 0: there is no such port")                                 \
    COUNTER(stalls, STALLS_NAME, "ring=\"inbound\",by=\"sequencer\"", NONE, STALLS_HELP)                               \
    COUNTER(blocked_ns, BLOCKED_NAME, "ring=\"inbound\",by=\"sequencer\"", NS, BLOCKED_HELP)                           \
    GAUGE(stalled, "ringside_gateway_stalled", "", NONE, "1: no socket is read, the inbound ring is full")             \
    GAUGE(event_lag, "ringside_gateway_event_lag_records", "", RECORDS, "events published and not seen yet")           \
    COUNTER(overruns, "ringside_gateway_event_overruns_total", "", NONE,                                               \
            "times it had to read events from the log, being too far behind")                                          \
    GAUGE(trading_day, "ringside_trading_day", "", NONE, "date of the trading day as YYYYMMDD; 0: none yet")           \
    HISTOGRAM(hop_in_ns, HOP_NAME, "hop=\"socket-inbound\"", NS, HOP_HELP)                                             \
    HISTOGRAM(hop_out_ns, HOP_NAME, "hop=\"event-socket\"", NS, HOP_HELP)                                              \
    HISTOGRAM(way_ns, "ringside_way_seconds", "", NS, "from a request's bytes to those of a message that it caused")

#define PERSISTER_VALUES(COUNTER, GAUGE, SIGNED, HISTOGRAM, FAMILY, STAMPS)                                            \
    FAMILY(gauge, configured, "ringside_store_configured", "store", NONE, "1: it is to be filled", STORE_NAME_COUNT,   \
           store_names)                                                                                                \
    FAMILY(gauge, up, "ringside_store_up", "store", NONE, "1: it is connected and takes events", STORE_NAME_COUNT,     \
           store_names)                                                                                                \
    FAMILY(gauge, refused, "ringside_store_refused", "store", NONE,                                                    \
           "1: it answers, but refuses what it must take: somebody has to look", STORE_NAME_COUNT, store_names)        \
    FAMILY(counter, outages, "ringside_store_outages_total", "store", NONE, "times it went away", STORE_NAME_COUNT,    \
           store_names)                                                                                                \
    FAMILY(gauge, mark, "ringside_store_event", "store", NONE, "last event that it has confirmed", STORE_NAME_COUNT,   \
           store_names)                                                                                                \
    FAMILY(gauge, durable, "ringside_store_durable_event", "store", NONE,                                              \
           "last event known to be on its disk; 0: not known", STORE_NAME_COUNT, store_names)                          \
    FAMILY(gauge, lag, "ringside_store_lag_records", "store", RECORDS, "events published and not confirmed by it",     \
           STORE_NAME_COUNT, store_names)                                                                              \
    FAMILY(gauge, lag_ns, "ringside_store_lag_seconds", "store", NS,                                                   \
           "age of what it shows, or how long it was never reached; 0: it is level", STORE_NAME_COUNT, store_names)    \
    FAMILY(counter, written, "ringside_store_events_total", "store", RECORDS, "events that it has taken",              \
           STORE_NAME_COUNT, store_names)                                                                              \
    FAMILY(counter, batches, "ringside_store_batches_total", "store", NONE,                                            \
           "transactions or entries that it has taken", STORE_NAME_COUNT, store_names)                                 \
    FAMILY(histogram, batch_ns, "ringside_store_batch_seconds", "store", NS, "from sending a batch to its answer",     \
           STORE_NAME_COUNT, store_names)

/* ---- names of families --------------------------------------------------------------------------------------------
 */

/* Kinds of events and reasons of rejects, by their numbers; a test holds these to record/event.h and wire/ouch.h. */
#define EVENT_NAME_COUNT  68
#define REJECT_NAME_COUNT 51
#define STORE_NAME_COUNT  3

enum store_name {
    STORE_POSTGRES,
    STORE_POSTGRES_ORDERS,
    STORE_REDIS,
};

extern const char *const event_names[EVENT_NAME_COUNT];
extern const char *const reject_names[REJECT_NAME_COUNT];
extern const char *const store_names[STORE_NAME_COUNT];

METRICS_STRUCT(process_values, PROCESS_VALUES)
METRICS_STRUCT(sequencer_values, SEQUENCER_VALUES)
METRICS_STRUCT(journaler_values, JOURNALER_VALUES)
METRICS_STRUCT(matcher_values, MATCHER_VALUES)
METRICS_STRUCT(gateway_values, GATEWAY_VALUES)
METRICS_STRUCT(persister_values, PERSISTER_VALUES)

/* All tables, for who shows or checks them. */
extern const struct metrics_table *const values_tables[];
extern const uint32_t values_table_count;

#endif
