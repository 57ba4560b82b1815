/* The tables as data, and the names of families. */
#include "metrics/values.h"

const char *const event_names[EVENT_NAME_COUNT] = {
    [1] = "accepted",
    [2] = "replaced",
    [3] = "canceled",
    [4] = "self_match_canceled",
    [5] = "executed",
    [6] = "broken",
    [7] = "rejected",
    [8] = "cancel_pending",
    [9] = "cancel_rejected",
    [10] = "priority_updated",
    [11] = "modified",
    [12] = "restated",
    [13] = "mass_canceled",
    [14] = "entry_disabled",
    [15] = "entry_enabled",
    [16] = "account_answer",
    [17] = "system_event",
    [24] = "order_options",
    [32] = "login_accepted",
    [33] = "login_refused",
    [34] = "session_closed",
    [48] = "day_started",
    [49] = "day_ended",
    [50] = "instrument_added",
    [51] = "market_state_changed",
    [52] = "limits_changed",
    [64] = "book_top",
    [65] = "command_refused",
    [66] = "checkpoint",
    [67] = "operator_acted",
};

const char *const reject_names[REJECT_NAME_COUNT] = {
    [0x0001] = "quote unavailable",
    [0x0002] = "destination closed",
    [0x0003] = "invalid display",
    [0x0004] = "invalid max floor",
    [0x0005] = "invalid peg type",
    [0x0006] = "fat finger",
    [0x0007] = "instrument is halted",
    [0x0008] = "inter-market sweep not allowed",
    [0x0009] = "invalid side",
    [0x000a] = "processing error",
    [0x000b] = "a cancel is pending",
    [0x000c] = "firm not authorized",
    [0x000d] = "invalid min quantity",
    [0x000e] = "no closing reference price",
    [0x000f] = "other",
    [0x0010] = "cancel not allowed",
    [0x0011] = "pegging not allowed",
    [0x0012] = "crossed market",
    [0x0013] = "invalid quantity",
    [0x0014] = "invalid cross order",
    [0x0015] = "replace not allowed",
    [0x0016] = "routing not allowed",
    [0x0017] = "invalid symbol",
    [0x0018] = "test",
    [0x0019] = "late limit-on-close too aggressive",
    [0x001a] = "retail not allowed",
    [0x001b] = "invalid midpoint post-only price",
    [0x001c] = "invalid destination",
    [0x001d] = "invalid price",
    [0x001e] = "shares exceed threshold",
    [0x001f] = "exceeds maximum notional",
    [0x0020] = "risk: aggregate exposure",
    [0x0021] = "risk: market impact",
    [0x0022] = "risk: restricted stock",
    [0x0023] = "risk: short sell restricted",
    [0x0024] = "risk: inter-market sweep not allowed",
    [0x0025] = "risk: average daily volume limit",
    [0x0026] = "risk: fat finger",
    [0x0027] = "risk: locate required",
    [0x0028] = "risk: symbol message rate",
    [0x0029] = "risk: port message rate",
    [0x002a] = "risk: duplicate message rate",
    [0x002b] = "risk: short sell not allowed",
    [0x002c] = "risk: market order not allowed",
    [0x002d] = "risk: pre-market not allowed",
    [0x002e] = "risk: post-market not allowed",
    [0x002f] = "risk: short sell exempt not allowed",
    [0x0030] = "risk: single order notional",
    [0x0031] = "risk: max quantity",
    [0x0032] = "short-sale state not available",
};

const char *const store_names[STORE_NAME_COUNT] = {
    [STORE_POSTGRES] = "postgres",
    [STORE_POSTGRES_ORDERS] = "postgres orders",
    [STORE_REDIS] = "redis",
};

#define METRICS_OF struct process_values
METRICS_TABLE(process_values, PROCESS_VALUES)
#undef METRICS_OF

#define METRICS_OF struct sequencer_values
METRICS_TABLE(sequencer_values, SEQUENCER_VALUES)
#undef METRICS_OF

#define METRICS_OF struct journaler_values
METRICS_TABLE(journaler_values, JOURNALER_VALUES)
#undef METRICS_OF

#define METRICS_OF struct matcher_values
METRICS_TABLE(matcher_values, MATCHER_VALUES)
#undef METRICS_OF

#define METRICS_OF struct gateway_values
METRICS_TABLE(gateway_values, GATEWAY_VALUES)
#undef METRICS_OF

#define METRICS_OF struct persister_values
METRICS_TABLE(persister_values, PERSISTER_VALUES)
#undef METRICS_OF

const struct metrics_table *const values_tables[] = {
    &process_values_table, &sequencer_values_table, &journaler_values_table,
    &matcher_values_table, &gateway_values_table,   &persister_values_table,
};
const uint32_t values_table_count = ARRAY_COUNT(values_tables);
