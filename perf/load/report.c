#include "report.h"

#include "wire/ouch.h"

#include <inttypes.h>
#include <stdio.h>

static double per_second(uint64_t count, const struct load_outcome *outcome)
{
    return outcome->seconds > 0 ? (double)count / outcome->seconds : 0;
}

static uint64_t yardstick_sum_ns(const struct yardstick *yardstick)
{
    return yardstick_round_trip_p50_ns(yardstick) + yardstick_append_p50_ns(yardstick);
}

static double yardstick_ratio(const struct yardstick *yardstick, const struct load_outcome *outcome)
{
    uint64_t sum_ns = yardstick_sum_ns(yardstick);
    return sum_ns > 0 ? (double)histogram_quantile(&outcome->latency_ns, 0.5) / (double)sum_ns : 0;
}

void report_json_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        if ((unsigned char)*text < 0x20)
            printf("\\u%04x", (unsigned char)*text);
        else
            putchar(*text);
    }
    putchar('"');
}

/* ---- JSON ---- */

static void json_counts(const struct load_outcome *outcome)
{
    const struct load_counts *counts = &outcome->counts;
    printf("\"requests\": %" PRIu64 ", \"orders\": %" PRIu64 ", \"orders_accepted\": %" PRIu64
           ", \"orders_rejected\": %" PRIu64 ", \"rejects\": %" PRIu64 ", \"cancels_asked\": %" PRIu64
           ", \"cancels_of_rest\": %" PRIu64 ", \"cancels\": %" PRIu64 ", \"cancels_overtaken\": %" PRIu64
           ", \"trades\": %" PRIu64 ", \"fills\": %" PRIu64 ", \"executed_shares\": %" PRIu64
           ", \"canceled_shares\": %" PRIu64 ", \"live_orders\": %" PRIu64 ", \"messages_received\": %" PRIu64
           ", \"reconnects\": %" PRIu64 ", \"requests_resent\": %" PRIu64,
           counts->requests, counts->orders, counts->orders_accepted, counts->orders_rejected, counts->orders_rejected,
           counts->cancels_asked, counts->cancels_of_rest, counts->cancels, counts->cancels_overtaken, outcome->trades,
           counts->executions, counts->executed_shares, counts->canceled_shares, outcome->live_orders, counts->messages,
           counts->reconnects, counts->resent);
}

static void json_times(const struct load_outcome *outcome)
{
    const struct histogram *latency = &outcome->latency_ns;
    printf(", \"seconds\": %.6f, \"requests_per_s\": %.1f, \"orders_per_s\": %.1f, \"messages_received_per_s\": %.1f",
           outcome->seconds, per_second(outcome->counts.requests, outcome), per_second(outcome->counts.orders, outcome),
           per_second(outcome->counts.messages, outcome));
    printf(", \"latency_count\": %" PRIu64 ", \"p50_ns\": %" PRIu64 ", \"p90_ns\": %" PRIu64 ", \"p99_ns\": %" PRIu64
           ", \"p999_ns\": %" PRIu64 ", \"max_ns\": %" PRIu64,
           latency->count, histogram_quantile(latency, 0.5), histogram_quantile(latency, 0.9),
           histogram_quantile(latency, 0.99), histogram_quantile(latency, 0.999), latency->max);
    printf(", \"sent_p50_ns\": %" PRIu64 ", \"sent_p99_ns\": %" PRIu64, histogram_quantile(&outcome->sent_ns, 0.5),
           histogram_quantile(&outcome->sent_ns, 0.99));
    printf(", \"cpu_s\": %.3f", outcome->cpu_s);
    if (outcome->stolen >= 0)
        printf(", \"stolen_fraction\": %.4f", outcome->stolen);
}

static void print_json(const struct load_options *options, const struct load_outcome *outcome,
                       const struct yardstick *yardstick)
{
    printf("{\"complete\": %s", outcome->complete ? "true" : "false");
    if (!outcome->complete) {
        printf(", \"why\": ");
        report_json_text(outcome->why);
    }
    if (options->durability[0] != '\0') {
        printf(", \"durability\": ");
        report_json_text(options->durability);
    }
    printf(", \"rate_per_s\": %" PRIu64 ", \"sessions\": %u, \"window\": %u, \"seed\": %" PRIu64 ", ", options->rate,
           options->sessions, options->window, options->seed);
    json_counts(outcome);
    json_times(outcome);
    if (outcome->round_trip_ns.count > 0)
        printf(", \"round_trip_p50_ns\": %" PRIu64 ", \"round_trip_p99_ns\": %" PRIu64,
               histogram_quantile(&outcome->round_trip_ns, 0.5), histogram_quantile(&outcome->round_trip_ns, 0.99));
    if (yardstick)
        printf(", \"yardstick_round_trip_p50_ns\": %" PRIu64 ", \"yardstick_round_trip_p99_ns\": %" PRIu64
               ", \"yardstick_append_p50_ns\": %" PRIu64 ", \"p50_to_yardstick\": %.3f",
               yardstick_round_trip_p50_ns(yardstick), yardstick_round_trip_p99_ns(yardstick),
               yardstick_append_p50_ns(yardstick), yardstick_ratio(yardstick, outcome));
    printf("}\n");
}

/* ---- a table ---- */

static void print_latency(const struct histogram *latency)
{
    static const struct {
        const char *name;
        double fraction;
    } rows[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        printf("%-22s%14.1f us\n", rows[i].name, (double)histogram_quantile(latency, rows[i].fraction) / 1e3);
}

static void print_counts(const struct load_outcome *outcome)
{
    const struct load_counts *counts = &outcome->counts;
    printf("%-22s%14" PRIu64 "   new orders %" PRIu64 ", cancels %" PRIu64 "\n", "requests", counts->requests,
           counts->orders, counts->cancels_asked);
    printf("%-22s%14" PRIu64 "\n", "orders accepted", counts->orders_accepted);
    printf("%-22s%14" PRIu64, "orders rejected", counts->orders_rejected);
    if (counts->orders_rejected > 0)
        printf("   the first: %s", ouch_reject_text(outcome->reject_reason));
    printf("\n%-22s%14" PRIu64 "   fills %" PRIu64 "\n", "trades", outcome->trades, counts->executions);
    printf("%-22s%14" PRIu64 "   overtaken by a fill %" PRIu64 "\n", "cancelled", counts->cancels,
           counts->cancels_overtaken);
    if (counts->reconnects > 0)
        printf("%-22s%14" PRIu64 "   requests sent again %" PRIu64 "\n", "connections lost", counts->reconnects,
               counts->resent);
}

static void print_table(const struct load_options *options, const struct load_outcome *outcome,
                        const struct yardstick *yardstick)
{
    print_counts(outcome);
    printf("%-22s%14.3f s\n", "time", outcome->seconds);
    printf("%-22s%14.0f /s\n", "requests", per_second(outcome->counts.requests, outcome));
    printf("%-22s%14.0f /s\n", "new orders", per_second(outcome->counts.orders, outcome));
    printf("latency, from %s to the answer\n", options->rate > 0 ? "when a request was due" : "a request's turn");
    print_latency(&outcome->latency_ns);
    printf("%-22s%14.1f us  p99 %.1f us\n", "from the sending, p50",
           (double)histogram_quantile(&outcome->sent_ns, 0.5) / 1e3,
           (double)histogram_quantile(&outcome->sent_ns, 0.99) / 1e3);
    if (outcome->round_trip_ns.count > 0)
        printf("%-22s%14.1f us  p99 %.1f us\n", "TCP meanwhile, p50",
               (double)histogram_quantile(&outcome->round_trip_ns, 0.5) / 1e3,
               (double)histogram_quantile(&outcome->round_trip_ns, 0.99) / 1e3);
    if (yardstick) {
        printf("%-22s%14.1f us  TCP round trip %.1f us, durable append %.1f us\n", "yardstick, p50",
               (double)yardstick_sum_ns(yardstick) / 1e3, (double)yardstick_round_trip_p50_ns(yardstick) / 1e3,
               (double)yardstick_append_p50_ns(yardstick) / 1e3);
        printf("%-22s%14.2f\n", "p50 to yardstick", yardstick_ratio(yardstick, outcome));
    }
    if (options->durability[0] != '\0')
        printf("%-22s%14s\n", "durability", options->durability);
    if (outcome->stolen >= 0)
        printf("%-22s%14.2f %%\n", "stolen time", 100 * outcome->stolen);
    if (outcome->complete)
        printf("every order's story was told exactly once\n");
    else
        printf("NOT COMPLETE: %s\n", outcome->why);
}

void report_print(const struct load_options *options, const struct load_outcome *outcome,
                  const struct yardstick *yardstick)
{
    if (options->json)
        print_json(options, outcome, yardstick);
    else
        print_table(options, outcome, yardstick);
    fflush(stdout);
}
