/* What the persister's merges do: staged rows to the tables, each as the statement of that name says. */
#include "base/require.h"
#include "postgres_server.h"

#include <string.h>

static uint32_t column_of(const struct table *table, const char *column)
{
    uint32_t index = table_column(table, column, strlen(column));
    REQUIRE(index != UINT32_MAX);
    return index;
}

static const struct cell *staged_value(const struct table *staged, uint32_t row, const char *column)
{
    return cell_named(staged, table_row(staged, row), column);
}

static void set(enum table_name name, struct cell *row, const char *column, struct cell value)
{
    row[column_of(table_of(name), column)] = value;
}

static void set_staged(enum table_name name, struct cell *row, const char *column, const struct table *staged,
                       uint32_t from, const char *staged_column)
{
    set(name, row, column, *staged_value(staged, from, staged_column));
}

static int64_t number_of(enum table_name name, const struct cell *row, const char *column)
{
    return cell_named(table_of(name), row, column)->number;
}

/* The transaction's version of the row whose first column is that; NULL: there is none. */
static struct cell *row_of(struct transaction *transaction, enum table_name name, int64_t key)
{
    const struct table *table = table_of(name);
    for (uint32_t row = table->count; row > 0; row--)
        if (table_row(table, row - 1)->number == key)
            return transaction_change(transaction, name, row - 1);
    struct table *fresh = &transaction->fresh[name];
    for (uint32_t row = 0; row < fresh->count; row++)
        if (fresh->cells[(size_t)row * table->column_count].number == key)
            return fresh->cells + (size_t)row * table->column_count;
    return NULL;
}

static void raise_seq(enum table_name name, struct cell *row, int64_t event_seq)
{
    if (event_seq > number_of(name, row, "event_seq"))
        set(name, row, "event_seq", cell_number(event_seq));
}

/* ---- orders -------------------------------------------------------------------------------------------------------
 */

static void add_amount(struct cell *row, const char *column, const struct table *staged, uint32_t from)
{
    int64_t sum = number_of(TABLE_ORDERS, row, column) + staged_value(staged, from, column)->number;
    set(TABLE_ORDERS, row, column, cell_number(sum));
}

static void change_order(struct cell *row, const struct table *staged, uint32_t from)
{
    static const char *const kept[] = {"reason", "side", "display", "price"}; /* where the staged one is NULL */
    static const char *const plain[] = {"leaves", "state", "updated_at", "updated_ns", "event_seq"};
    add_amount(row, "executed", staged, from);
    add_amount(row, "canceled", staged, from);
    add_amount(row, "executed_value", staged, from);
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        set_staged(TABLE_ORDERS, row, plain[i], staged, from, plain[i]);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (!staged_value(staged, from, kept[i])->is_null)
            set_staged(TABLE_ORDERS, row, kept[i], staged, from, kept[i]);
}

int64_t merge_orders(struct transaction *transaction, const struct table *staged, uint32_t day, bool renumbers)
{
    int64_t affected = 0;
    for (uint32_t from = 0; from < staged->count; from++) {
        struct cell *row = row_of(transaction, TABLE_ORDERS, staged_value(staged, from, "key_ref")->number);
        int64_t key_day = staged_value(staged, from, "key_day")->number;
        if (!row || row[1].number != key_day || (day != 0 && key_day != day))
            continue;
        if (renumbers) {
            set_staged(TABLE_ORDERS, row, "order_ref", staged, from, "order_ref");
            set_staged(TABLE_ORDERS, row, "day", staged, from, "day");
        }
        change_order(row, staged, from);
        affected++;
    }
    return affected;
}

/* ---- sessions -----------------------------------------------------------------------------------------------------
 */

/* The last row of the key in the staged ones that are so and not otherwise; rows are staged in the events' order. */
static bool is_last(const struct table *staged, uint32_t at, const char *key, const char *kind)
{
    for (uint32_t row = at + 1; row < staged->count; row++)
        if (staged_value(staged, row, key)->number == staged_value(staged, at, key)->number &&
            staged_value(staged, row, kind)->number == staged_value(staged, at, kind)->number)
            return false;
    return true;
}

int64_t merge_logins(struct transaction *transaction, const struct table *staged)
{
    int64_t affected = 0;
    for (uint32_t from = 0; from < staged->count; from++) {
        if (!staged_value(staged, from, "is_login")->number)
            continue;
        struct cell session = *staged_value(staged, from, "session");
        struct cell *row = row_of(transaction, TABLE_SESSIONS, session.number);
        if (!row) {
            row = transaction_add(transaction, TABLE_SESSIONS);
            row[0] = session;
            set(TABLE_SESSIONS, row, "login_count", cell_number(0));
            set_staged(TABLE_SESSIONS, row, "first_login_at", staged, from, "at");
        }
        set(TABLE_SESSIONS, row, "login_count", cell_number(number_of(TABLE_SESSIONS, row, "login_count") + 1));
        set(TABLE_SESSIONS, row, "is_connected", cell_number(1));
        set_staged(TABLE_SESSIONS, row, "user_name", staged, from, "user_name");
        set_staged(TABLE_SESSIONS, row, "firm", staged, from, "firm");
        set_staged(TABLE_SESSIONS, row, "last_login_at", staged, from, "at");
        set_staged(TABLE_SESSIONS, row, "last_login_ns", staged, from, "at_ns");
        set_staged(TABLE_SESSIONS, row, "event_seq", staged, from, "event_seq");
        affected += is_last(staged, from, "session", "is_login");
    }
    return affected;
}

int64_t merge_closed(struct transaction *transaction, const struct table *staged)
{
    int64_t affected = 0;
    for (uint32_t from = 0; from < staged->count; from++) {
        if (staged_value(staged, from, "is_login")->number || !is_last(staged, from, "session", "is_login"))
            continue;
        struct cell *row = row_of(transaction, TABLE_SESSIONS, staged_value(staged, from, "session")->number);
        if (!row)
            continue;
        int64_t event_seq = staged_value(staged, from, "event_seq")->number;
        set_staged(TABLE_SESSIONS, row, "closed_at", staged, from, "at");
        set_staged(TABLE_SESSIONS, row, "closed_ns", staged, from, "at_ns");
        set(TABLE_SESSIONS, row, "is_connected", cell_number(event_seq < number_of(TABLE_SESSIONS, row, "event_seq")));
        raise_seq(TABLE_SESSIONS, row, event_seq);
        affected++;
    }
    return affected;
}

/* ---- instruments --------------------------------------------------------------------------------------------------
 */

int64_t merge_instruments_added(struct transaction *transaction, const struct table *staged)
{
    static const char *const same[] = {"instrument",      "symbol",       "tick_size",  "lot_size",
                                       "reference_price", "collar",       "fat_finger", "quantity_max",
                                       "notional_max",    "market_state", "event_seq"};
    int64_t affected = 0;
    for (uint32_t from = 0; from < staged->count; from++) {
        if (staged_value(staged, from, "kind")->number != 50)
            continue;
        if (row_of(transaction, TABLE_INSTRUMENTS, staged_value(staged, from, "instrument")->number))
            return -1;
        struct cell *row = transaction_add(transaction, TABLE_INSTRUMENTS);
        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
            set_staged(TABLE_INSTRUMENTS, row, same[i], staged, from, same[i]);
        set_staged(TABLE_INSTRUMENTS, row, "added_at", staged, from, "at");
        set_staged(TABLE_INSTRUMENTS, row, "added_ns", staged, from, "at_ns");
        affected++;
    }
    return affected;
}

/* The last of each instrument that is of that kind: those columns, as they are; and one where it is something, and no
 * later event has named it. */
static int64_t change_instruments(struct transaction *transaction, const struct table *staged, int64_t kind,
                                  const char *const plain[], const char *kept)
{
    int64_t affected = 0;
    for (uint32_t from = 0; from < staged->count; from++) {
        if (staged_value(staged, from, "kind")->number != kind || !is_last(staged, from, "instrument", "kind"))
            continue;
        struct cell *row = row_of(transaction, TABLE_INSTRUMENTS, staged_value(staged, from, "instrument")->number);
        if (!row)
            continue;
        for (size_t i = 0; plain[i]; i++)
            set_staged(TABLE_INSTRUMENTS, row, plain[i], staged, from, plain[i]);
        int64_t event_seq = staged_value(staged, from, "event_seq")->number;
        if (!staged_value(staged, from, kept)->is_null && event_seq > number_of(TABLE_INSTRUMENTS, row, "event_seq"))
            set_staged(TABLE_INSTRUMENTS, row, kept, staged, from, kept);
        raise_seq(TABLE_INSTRUMENTS, row, event_seq);
        affected++;
    }
    return affected;
}

int64_t merge_instruments_state(struct transaction *transaction, const struct table *staged)
{
    static const char *const plain[] = {"market_state", NULL};
    return change_instruments(transaction, staged, 51, plain, "reference_price");
}

int64_t merge_instruments_limits(struct transaction *transaction, const struct table *staged)
{
    static const char *const plain[] = {"tick_size",    "lot_size",     "collar", "fat_finger",
                                        "quantity_max", "notional_max", NULL};
    return change_instruments(transaction, staged, 52, plain, "reference_price");
}

/* ---- trading days -------------------------------------------------------------------------------------------------
 */

/* 20261124 as days since 1970. */
static int64_t day_of_date(int64_t date)
{
    int64_t year = date / 10000, month = date / 100 % 100, day = date % 100;
    year -= month <= 2;
    int64_t in_era = year % 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return year / 400 * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + day_of_year - 719468;
}

int64_t merge_days_started(struct transaction *transaction, const struct table *staged)
{
    int64_t affected = 0;
    for (uint32_t from = 0; from < staged->count; from++) {
        int64_t day = day_of_date(staged_value(staged, from, "date_number")->number);
        if (!staged_value(staged, from, "is_start")->number || row_of(transaction, TABLE_TRADING_DAYS, day))
            continue;
        struct cell *row = transaction_add(transaction, TABLE_TRADING_DAYS);
        row[0] = cell_number(day);
        set_staged(TABLE_TRADING_DAYS, row, "started_at", staged, from, "at");
        set_staged(TABLE_TRADING_DAYS, row, "started_ns", staged, from, "at_ns");
        set_staged(TABLE_TRADING_DAYS, row, "event_seq", staged, from, "event_seq");
        affected++;
    }
    return affected;
}

int64_t merge_days_ended(struct transaction *transaction, const struct table *staged)
{
    int64_t affected = 0;
    for (uint32_t from = 0; from < staged->count; from++) {
        int64_t day = day_of_date(staged_value(staged, from, "date_number")->number);
        struct cell *row =
            staged_value(staged, from, "is_start")->number ? NULL : row_of(transaction, TABLE_TRADING_DAYS, day);
        if (!row || !is_last(staged, from, "date_number", "is_start"))
            continue;
        set_staged(TABLE_TRADING_DAYS, row, "ended_at", staged, from, "at");
        set_staged(TABLE_TRADING_DAYS, row, "ended_ns", staged, from, "at_ns");
        set_staged(TABLE_TRADING_DAYS, row, "event_seq", staged, from, "event_seq");
        affected++;
    }
    return affected;
}
