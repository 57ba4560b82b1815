/*
 * A run as JSON: what `ringside status --json` and the monitor's /status tell. Members are added here, never renamed.
 */
#include "view/json_text.h"
#include "view/run_view.h"

#include <string.h>

typedef unsigned long long ull;

/* -1: it never gave a sign of life. */
static long long age_ns(const struct run_view *view, uint64_t heartbeat_ns)
{
    if (heartbeat_ns == 0)
        return -1;
    return view->read_ns > heartbeat_ns ? (long long)(view->read_ns - heartbeat_ns) : 0;
}

static void print_line(FILE *to, const struct run_view *view, const struct line_view *line)
{
    fprintf(to,
            "{\"name\":\"%s\",\"cursor_seq\":%llu,\"behind_records\":%llu,\"stall_count\":%llu,\"pid\":%u,"
            "\"epoch\":%u,\"heartbeat_age_ns\":%lld}",
            line->name, (ull)line->cursor_seq, (ull)line->behind_records, (ull)line->stall_count, line->pid,
            line->epoch, age_ns(view, line->heartbeat_ns));
}

static void print_present_ring(FILE *to, const struct run_view *view, const struct ring_view *ring)
{
    const char *blocker = run_view_blocker(ring);
    fprintf(to,
            ",\"capacity_slots\":%llu,\"base_seq\":%llu,\"next_seq\":%llu,\"fill_records\":%llu,"
            "\"stall_count\":%llu,\"blocked_ns\":%llu,\"producer_pid\":%u,\"producer_epoch\":%u,"
            "\"producer_heartbeat_age_ns\":%lld,\"blocked_for_ns\":%llu,\"blocked_on\":",
            (ull)ring->capacity_slots, (ull)ring->base_seq, (ull)ring->next_seq, (ull)ring->fill_records,
            (ull)ring->stall_count, (ull)ring->blocked_ns_total, ring->pid, ring->epoch,
            age_ns(view, ring->heartbeat_ns), (ull)ring->blocked_ns);
    if (blocker)
        json_text_print(to, blocker);
    else
        fputs("null", to);
    fputs(",\"consumers\":[", to);
    for (uint32_t i = 0; i < ring->line_count; i++) {
        if (i > 0)
            putc(',', to);
        print_line(to, view, &ring->lines[i]);
    }
    putc(']', to);
}

static void print_ring(FILE *to, const struct run_view *view, const struct ring_view *ring)
{
    fprintf(to, "{\"name\":\"%s\",\"present\":%s", ring->name, ring->present ? "true" : "false");
    if (ring->present)
        print_present_ring(to, view, ring);
    putc('}', to);
}

void run_view_print_json(FILE *to, const struct run_view *view, const struct config *config)
{
    char id[33];
    run_view_id(view, id);
    fputs("\"rings_directory\":", to);
    json_text_print(to, config->exchange_rings_directory);
    fprintf(to,
            ",\"complete\":%s,\"run_present\":%s,\"run_id\":\"%s\",\"journal_epoch\":%u,\"created_ns\":%llu,"
            "\"alive_count\":%u,\"processes\":[",
            run_view_complete(view) ? "true" : "false", view->present ? "true" : "false", id, view->epoch,
            (ull)view->created_ns, view->alive_count);
    for (uint32_t i = 0; i < view->process_count; i++)
        fprintf(to, "%s{\"name\":\"%s\",\"alive\":%s,\"pid\":%d}", i > 0 ? "," : "", view->processes[i].name,
                view->processes[i].held ? "true" : "false", (int)view->processes[i].pid);
    fputs("],\"rings\":[", to);
    for (uint32_t i = 0; i < view->ring_count; i++) {
        if (i > 0)
            putc(',', to);
        print_ring(to, view, &view->rings[i]);
    }
    putc(']', to);
}
