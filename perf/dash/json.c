/* What the dashboard shows, for a program: one object. What is not known is null. */
#include "perf/dash/dash.h"

#include "view/json_text.h"

#include <math.h>
#include <stdio.h>

#define ROWS_MAX 100u

typedef unsigned long long ull;

static void print_number(const char *name, double number)
{
    if (isnan(number))
        printf(",\"%s\":null", name);
    else
        printf(",\"%s\":%.3f", name, number);
}

static void print_hop(const char *name, const struct hop_sample *hop)
{
    if (hop->count == 0)
        printf(",\"%s\":null", name);
    else
        printf(",\"%s\":{\"count\":%llu,\"p50_ns\":%llu,\"p99_ns\":%llu}", name, (ull)hop->count, (ull)hop->p50_ns,
               (ull)hop->p99_ns);
}

static void print_stage(const struct dash_model *model, const struct dash_stage *stage)
{
    printf("{\"name\":\"%s\",\"state\":\"%s\",\"alive\":%s,\"pid\":%d,\"resident_bytes\":%llu", stage->name,
           stage->state, stage->alive ? "true" : "false", stage->pid, (ull)stage->resident_bytes);
    print_number("cpu_cores", stage->cpu);
    print_number("records_per_s", stage->records_per_s);
    print_number("batch_records", stage->batch);
    printf(",\"behind_records\":%llu,\"ring\":\"%s\"", (ull)stage->behind, stage->ring);
    print_number("ring_fill", stage->fill);
    print_number("stalls_per_s", stage->stalls_per_s);
    printf(",\"stalls\":%llu", (ull)stage->stalls);
    print_hop("hop", &model->now.hops[stage->hop]);
    printf("}");
}

static void print_instrument(const struct tape_instrument *instrument)
{
    printf("{\"number\":%u,\"symbol\":", instrument->number);
    json_text_print(stdout, instrument->symbol);
    printf(",\"bid_ticks\":%d,\"bid_quantity\":%llu,\"ask_ticks\":%d,\"ask_quantity\":%llu,\"last_ticks\":%d,"
           "\"last_quantity\":%u",
           instrument->bid_ticks, (ull)instrument->bid_quantity, instrument->ask_ticks, (ull)instrument->ask_quantity,
           instrument->last_ticks, instrument->last_quantity);
    print_number("trades_per_s", instrument->rates.trades);
    print_number("events_per_s", instrument->rates.events);
    printf("}");
}

static void print_session(const struct tape_session *session)
{
    printf("{\"number\":%u,\"user\":", session->number);
    json_text_print(stdout, session->user);
    printf(",\"open\":%s,\"gateway\":%u", session->open ? "true" : "false", session->gateway);
    print_number("messages_per_s", session->rates.events);
    print_number("orders_per_s", session->rates.orders);
    print_number("trades_per_s", session->rates.trades);
    print_number("rejects_per_s", session->rates.rejects);
    printf("}");
}

static void print_market(const struct screen *screen, const struct tape *tape)
{
    printf(",\"instrument_count\":%u,\"session_count\":%u,\"instruments\":[", tape_instrument_count(tape),
           tape_open_sessions(tape));
    for (uint32_t i = 0; i < screen->row_count[PART_INSTRUMENTS] && i < ROWS_MAX; i++) {
        printf("%s", i > 0 ? "," : "");
        print_instrument(&tape->instruments[screen->order[PART_INSTRUMENTS][i]]);
    }
    printf("],\"sessions\":[");
    for (uint32_t i = 0; i < screen->row_count[PART_SESSIONS] && i < ROWS_MAX; i++) {
        printf("%s", i > 0 ? "," : "");
        print_session(&tape->sessions[screen->order[PART_SESSIONS][i]]);
    }
    printf("]");
}

static void print_stores(const struct dash_model *model)
{
    printf(",\"stores\":[");
    for (uint32_t i = 0; i < model->now.store_count; i++) {
        const struct store_sample *store = &model->now.stores[i];
        printf("%s{\"name\":\"%s\",\"configured\":%s,\"up\":%s,\"refused\":%s,\"lag_records\":%llu}", i > 0 ? "," : "",
               store->name, store->configured ? "true" : "false", store->up ? "true" : "false",
               store->refused ? "true" : "false", (ull)store->lag_records);
    }
    printf("]");
}

static void print_alarms(const struct dash_model *model)
{
    printf(",\"alarms\":[");
    for (uint32_t i = 0; i < model->alarm_count; i++) {
        printf("%s{\"name\":\"%s\",\"since_ns\":%llu,\"text\":", i > 0 ? "," : "", model->alarms[i].name,
               (ull)model->alarms[i].since_ns);
        json_text_print(stdout, model->alarms[i].text);
        printf("}");
    }
    printf("]");
}

void dash_print_json(const struct screen *screen, const struct dash_model *model, const struct tape *tape)
{
    char id[33];
    run_view_id(&model->now.run, id);
    printf("{\"run_present\":%s,\"run_id\":\"%s\",\"time_ns\":%llu,\"seconds\":%.3f,\"durability\":\"%s\"",
           model->now.run.present ? "true" : "false", id, (ull)model->now.realtime_ns, model->seconds,
           screen->durability);
    print_number("commands_per_s", model->commands_per_s);
    print_number("events_per_s", model->events_per_s);
    print_number("trades_per_s", tape->rates.trades);
    print_number("live_orders", model->now.live_orders_known ? (double)model->now.live_orders : (double)NAN);
    printf(",\"journal_behind_records\":%llu,\"event_log_behind_records\":%llu", (ull)model->journal_lag,
           (ull)model->event_log_lag);
    print_hop("way", &model->now.hops[DASH_HOP_WAY]);
    printf(",\"stages\":[");
    for (uint32_t i = 0; i < screen->row_count[PART_STAGES]; i++) {
        printf("%s", i > 0 ? "," : "");
        print_stage(model, &model->stages[screen->order[PART_STAGES][i]]);
    }
    printf("]");
    print_stores(model);
    print_market(screen, tape);
    print_alarms(model);
    printf("}\n");
}
