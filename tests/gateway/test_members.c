/*
 * Members' settings, the addresses in them, and rates: the pure parts, each rule alone.
 */
#include "address.h"
#include "base/units.h"
#include "members.h"
#include "rate.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/ringside-members-XXXXXX";
static struct members members;
static struct error error;

static void make_file(void)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

static void remove_file(void)
{
    members_close(&members);
    unlink(path);
}

TestSuite(members, .init = make_file, .fini = remove_file);

static int read_text(const char *text)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
    return members_open(&members, path, true, &error);
}

static void must_read(const char *text)
{
    cr_assert_eq(read_text(text), 0, "%s: %s", error.where, error.what);
}

/* ---- the file ---- */

Test(members, no_file_is_no_limit)
{
    cr_assert_eq(members_open(&members, "", false, &error), 0);
    const struct member *member = member_find(&members, "alice ");
    cr_assert_not(member->is_limited);
    cr_assert_not(member->takes_over, "as the configuration says");
    cr_assert(member_may_come_from(&members, member, "10.0.0.1:5"));
    cr_assert(member_has_firm(&members, member, "FRMA", "FRMA"));
    cr_assert_not(member_has_firm(&members, member, "FRMA", "FRMB"));
    cr_assert_not(member_has_other_firms(&members, member, "FRMA"));
}

Test(members, every_setting)
{
    must_read("# who may do what\n"
              "[user alice]\n"
              "second_login = refuse ; she has one desk\n"
              "addresses = 10.1.0.0/16, 2001:db8::/32\n"
              "addresses = 192.0.2.7\n"
              "firms = FRMA FRMB\n"
              "restricted = TSLA\n"
              "quantity_max = 500\n"
              "notional_max = 1000.50\n"
              "orders_per_s = 100\n"
              "orders_burst = 20\n"
              "symbol_orders_per_s = 10\n"
              "same_orders_per_s = 2\n"
              "same_orders_burst = 1\n"
              "cancel_on_disconnect = yes\n"
              "grace_ms = 1500\n");
    const struct member *alice = member_find(&members, "alice ");
    cr_assert(alice->is_limited);
    cr_assert_not(alice->takes_over);
    cr_assert(alice->cancels);
    cr_assert_eq(alice->grace_ms, 1500u);
    cr_assert_eq(alice->quantity_max, 500u);
    cr_assert_eq(alice->notional_max, 10005000u, "in ticks of a ten-thousandth");
    cr_assert_eq(alice->orders.period_ns, 10 * (uint64_t)NS_PER_MS);
    cr_assert_eq(alice->orders.tolerance_ns, 190 * (uint64_t)NS_PER_MS);
    cr_assert_eq(alice->symbol_orders.tolerance_ns, 900 * (uint64_t)NS_PER_MS, "a second's worth at once");
    cr_assert_eq(alice->same_orders.tolerance_ns, 0u);
    cr_assert(member_may_come_from(&members, alice, "10.1.255.3:4000"));
    cr_assert(member_may_come_from(&members, alice, "192.0.2.7:4000"));
    cr_assert(member_may_come_from(&members, alice, "2001:db8:1::9:4000"));
    cr_assert_not(member_may_come_from(&members, alice, "10.2.0.1:4000"));
    cr_assert_not(member_may_come_from(&members, alice, "192.0.2.8:4000"));
    cr_assert_not(member_may_come_from(&members, alice, "2001:db9::1:4000"));
    cr_assert_not(member_may_come_from(&members, alice, "?:4000"), "what cannot be read is nowhere");
    cr_assert(member_has_firm(&members, alice, "FRMA", "FRMB"));
    cr_assert_not(member_has_firm(&members, alice, "FRMA", "FRMC"));
    cr_assert(member_has_other_firms(&members, alice, "FRMA"));
    cr_assert(member_is_restricted(&members, alice, "TSLA    "));
    cr_assert_not(member_is_restricted(&members, alice, "AAPL    "));
    cr_assert_not(member_find(&members, "bob   ")->is_limited);
}

Test(members, what_a_user_does_not_say_everyone_says)
{
    must_read("[user al]\nquantity_max = 7\nrestricted = OWN\n"
              "[everyone]\nquantity_max = 100\norders_per_s = 50\nrestricted = ALL\nsecond_login = refuse\n"
              "[user bo]\norders_per_s = 0\n");
    const struct member *al = member_find(&members, "al    ");
    const struct member *bo = member_find(&members, "bo    ");
    const struct member *other = member_find(&members, "cy    ");
    cr_assert_eq(al->quantity_max, 7u);
    cr_assert_neq(al->orders.period_ns, 0u);
    cr_assert_not(al->takes_over);
    cr_assert(member_is_restricted(&members, al, "OWN     "));
    cr_assert(member_is_restricted(&members, al, "ALL     "), "restricted for everyone is restricted for each");
    cr_assert_eq(bo->quantity_max, 100u);
    cr_assert_eq(bo->orders.period_ns, 0u, "0 takes a limit away");
    cr_assert(member_is_restricted(&members, bo, "ALL     "));
    cr_assert_not(member_is_restricted(&members, bo, "OWN     "));
    cr_assert_eq(other->quantity_max, 100u);
    cr_assert(other->is_limited);
    cr_assert_not(other->takes_over);
}

Test(members, many_users_are_found)
{
    static char text[64 * 1024];
    size_t bytes = 0;
    for (int i = 0; i < 1000; i++)
        bytes += (size_t)snprintf(text + bytes, sizeof(text) - bytes, "[user u%d]\nquantity_max = %d\n",
                                  (i * 7919) % 1000, (i * 7919) % 1000 + 1);
    must_read(text);
    for (int i = 0; i < 1000; i++) {
        char user[16];
        snprintf(user, sizeof(user), "u%d      ", i);
        cr_assert_eq(member_find(&members, user)->quantity_max, (uint32_t)i + 1);
    }
}

Test(members, a_line_that_breaks_a_rule_is_named)
{
    static const struct {
        const char *text;
        const char *where;
        const char *what;
    } cases[] = {
        {"quantity_max = 1\n", ":1", "first section"},
        {"[everyone]\n\nnonsense\n", ":3", "name = value"},
        {"[everyone]\nfoo = 1\n", ":2", "no setting foo"},
        {"[everyone\n", ":1", "[NAME]"},
        {"[someone]\n", ":1", "[user NAME]"},
        {"[user toolong]\n", ":1", "1 to 6"},
        {"[everyone]\n[everyone]\n", ":2", "second time"},
        {"[user a]\n[user b]\n[user a]\n", ":3", "line 1"},
        {"[user a]\nquantity_max = 1\nquantity_max = 2\n", ":3", "second time"},
        {"[user a]\nquantity_max =\n", ":2", "no value"},
        {"[user a]\nquantity_max = 1000000\n", ":2", "0 to 999999"},
        {"[user a]\norders_per_s = -1\n", ":2", "whole number"},
        {"[user a]\nnotional_max = 1.00001\n", ":2", "four decimals"},
        {"[user a]\nsecond_login = maybe\n", ":2", "takeover"},
        {"[user a]\naddresses = 10.0.0.1/8\n", ":2", "first address"},
        {"[user a]\naddresses = 10.0.0.0/33\n", ":2", "32"},
        {"[user a]\naddresses = here\n", ":2", "IP address"},
        {"[user a]\nfirms = frma\n", ":2", "capital"},
        {"[user a]\ncancel_on_disconnect = perhaps\n", ":2", "yes, no"},
        {"[everyone]\ncopy_users = a\n", ":2", "one user's"},
        {"[user a]\ncopy_firms = TOOLONG\n", ":2", "capital"},
        {"[user a]\nrestricted = NINELONGX\n", ":2", "8 characters"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        cr_assert_eq(read_text(cases[i].text), ERROR_INVALID, "case %zu", i);
        size_t where_bytes = strlen(error.where);
        cr_assert_str_eq(error.where + where_bytes - 2, cases[i].where, "case %zu: %s", i, error.where);
        cr_assert_not_null(strstr(error.what, cases[i].what), "case %zu: %s", i, error.what);
    }
    cr_assert_eq(members_open(&members, "/nonexistent", true, &error), ERROR_SYSTEM);
}

/* ---- addresses ---- */

static bool lies_in(const char *text, const char *range_text)
{
    struct address address;
    struct address_range range;
    cr_assert(address_parse(&address, text), "%s", text);
    const char *broken = address_range_parse(&range, range_text);
    cr_assert_null(broken, "%s: %s", range_text, broken);
    return address_in_range(&address, &range);
}

Test(addresses, ranges_of_both_kinds)
{
    cr_assert(lies_in("10.1.2.3", "10.1.2.3"));
    cr_assert(lies_in("10.1.2.3", "10.1.2.2/31"));
    cr_assert_not(lies_in("10.1.2.4", "10.1.2.2/31"));
    cr_assert(lies_in("10.255.0.1", "10.0.0.0/8"));
    cr_assert_not(lies_in("11.0.0.1", "10.0.0.0/8"));
    cr_assert(lies_in("1.2.3.4", "0.0.0.0/0"));
    cr_assert_not(lies_in("::1", "0.0.0.0/0"), "no IPv6 address is an IPv4 one");
    cr_assert(lies_in("::ffff:10.1.2.3", "10.0.0.0/8"), "a mapped one is");
    cr_assert(lies_in("1.2.3.4", "::/0"));
    cr_assert(lies_in("2001:db8::1", "2001:db8::/33"));
    cr_assert_not(lies_in("2001:db8:8000::1", "2001:db8::/33"));
    cr_assert(lies_in("fe80::1", "fe80::1/128"));
}

Test(addresses, what_is_none)
{
    static const char *const none[] = {"",           "10.0.0", "10.0.0.0/", "10.0.0.0/x",        "10.0.0.0/8x",
                                       "10.0.0.256", "::/129", "::1/64",    "1:2:3:4:5:6:7:8:9", "10.0.0.0/-1"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct address_range range;
        cr_assert_not_null(address_range_parse(&range, none[i]), "%s", none[i]);
    }
}

/* ---- rates ---- */

Test(rates, a_bucket_against_counting_tokens)
{
    srand(7);
    for (uint32_t round = 0; round < 200; round++) {
        uint32_t per_s = 1 + (uint32_t)rand() % 1000;
        uint32_t burst = 1 + (uint32_t)rand() % 50;
        struct rate rate = rate_make(per_s, burst);
        uint64_t full_ns = 0;
        uint64_t now_ns = NS_PER_SECOND;
        uint64_t tokens_ns = burst * rate.period_ns; /* tokens, each worth a period */
        for (uint32_t i = 0; i < 500; i++) {
            uint64_t step_ns = (uint64_t)rand() % (2 * rate.period_ns);
            now_ns += step_ns;
            tokens_ns += step_ns;
            if (tokens_ns > burst * rate.period_ns)
                tokens_ns = burst * rate.period_ns;
            bool expected = tokens_ns >= rate.period_ns;
            tokens_ns -= expected ? rate.period_ns : 0;
            cr_assert_eq(rate_take(&full_ns, &rate, now_ns), expected, "round %u, step %u", round, i);
        }
    }
}

Test(rates, no_limit_takes_all)
{
    struct rate rate = rate_make(0, 5);
    uint64_t full_ns = 0;
    for (int i = 0; i < 1000; i++)
        cr_assert(rate_take(&full_ns, &rate, 5));
    cr_assert_eq(full_ns, 0u);
}

Test(rates, a_table_keeps_keys_apart_and_forgets_the_fullest)
{
    struct rate_table table;
    struct rate rate = rate_make(1, 2);
    cr_assert_eq(rate_table_open(&table, 4096, &error), 0);
    for (uint64_t user = 1; user <= 500; user++) {
        for (int i = 0; i < 2; i++)
            cr_assert(rate_table_take(&table, rate_key(user, 9), &rate, NS_PER_SECOND));
    }
    uint32_t refused = 0;
    for (uint64_t user = 1; user <= 500; user++) {
        bool has = rate_table_has(&table, rate_key(user, 9), &rate, NS_PER_SECOND);
        cr_assert_eq(rate_table_take(&table, rate_key(user, 9), &rate, NS_PER_SECOND), has);
        refused += !has;
    }
    cr_assert_geq(refused, 490u, "of 500 keys in 4,096 places hardly one is forgotten: %u", refused);
    for (uint64_t key = 1; key <= 100000; key++) /* many more than it holds, and never a wrong refusal */
        cr_assert(rate_table_take(&table, rate_key(key, 10), &rate, 10 * (uint64_t)NS_PER_SECOND));
    rate_table_close(&table);
    rate_table_close(NULL);
}
