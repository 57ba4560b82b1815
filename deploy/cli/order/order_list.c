/* `ringside order list`: the open orders of a session, made from all that it was told today. */
#include "order_run.h"
#include "stage/stage.h"
#include "view/json_text.h"

#include <stdlib.h>

static int by_number(const void *a, const void *b)
{
    const struct order_entry *one = a;
    const struct order_entry *other = b;
    return one->user_ref < other->user_ref ? -1 : one->user_ref > other->user_ref;
}

static void print_text(const struct order_entry *entry)
{
    char time[ORDER_TIME_BYTES];
    char price[ORDER_PRICE_BYTES];
    printf("%-8u %s  %-12s %8u %8u  %-8s @ %-12s %s%s%s%s\n", entry->user_ref,
           order_time_text(entry->timestamp_ns, time), order_side_text(entry->side), entry->leaves, entry->executed,
           entry->symbol, order_price_text(entry->price, price), order_tif_text(entry->time_in_force),
           entry->display == 'N' ? " hidden" : "", entry->client_order_id[0] ? " " : "", entry->client_order_id);
}

static void print_json(const struct order_entry *entry)
{
    char price[ORDER_PRICE_BYTES];
    bool market = entry->price == RS_PRICE_MARKET;
    printf("{\"user_ref\":%u,\"timestamp_ns\":%llu,\"side\":\"%c\",\"open\":%u,\"executed\":%u,\"symbol\":",
           entry->user_ref, (unsigned long long)entry->timestamp_ns, entry->side, entry->leaves, entry->executed);
    json_text_print(stdout, entry->symbol);
    printf(",\"price\":%s%s%s,\"time_in_force\":\"%c\",\"display\":\"%c\",\"client_order_id\":", market ? "\"" : "",
           order_price_text(entry->price, price), market ? "\"" : "", entry->time_in_force, entry->display);
    json_text_print(stdout, entry->client_order_id);
    printf("}\n");
}

static int print_open(struct order_run *run)
{
    struct order_book *book = &run->book;
    uint32_t open = 0;
    if (book->short_of_memory) {
        fprintf(stderr, "ringside order list: no memory for all orders of the day\n");
        return EXIT_STAGE_FAILED;
    }
    for (uint32_t i = 0; i < book->room; i++)
        if (book->entries[i].user_ref != 0 && book->entries[i].leaves > 0)
            book->entries[open++] = book->entries[i];
    if (open > 0)
        qsort(book->entries, open, sizeof(book->entries[0]), by_number);
    if (!run->line.json && open > 0)
        printf("%-8s %-15s  %-12s %8s %8s  %-8s   %s\n", "order", "since", "side", "open", "executed", "symbol",
               "price");
    for (uint32_t i = 0; i < open; i++) {
        if (run->line.json)
            print_json(&book->entries[i]);
        else
            print_text(&book->entries[i]);
    }
    if (!run->line.json)
        printf("%u open\n", open);
    return EXIT_STAGE_OK;
}

int order_list_main(int argc, char **argv)
{
    static const struct command_line_option options[] = {ORDER_CONNECT_OPTIONS};
    static const struct command_line_form form = {
        .program = "ringside order list",
        .summary = "the open orders of a user's session",
        .takes_json = true,
        .extra = "\nIt logs in as the user and reads all that the session was told today.\n",
        .options = options,
        .option_count = sizeof(options) / sizeof(options[0]),
        .brief = true,
    };
    struct order_run run;
    int code = order_run_read(&run, argc, argv, &form);
    if (code != COMMAND_LINE_GO)
        return code;
    code = order_run_open(&run, 1, NULL, 0);
    if (code == 0)
        code = order_run_ready(&run);
    if (code == 0)
        code = print_open(&run);
    order_run_close(&run);
    return code;
}
