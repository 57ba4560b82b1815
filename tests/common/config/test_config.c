/*
 * The configuration. Goal: what a person writes is read exactly or refused with file, line and rule.
 * Method: small files, written here; the annotated file of deploy/ against the table.
 */
#include "config/config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct config config;
static struct error error;
static char path[64];

static void setup(void)
{
    memset(&error, 0, sizeof(error));
    config_init(&config);
}

static void teardown(void)
{
    config_finish(&config);
}

TestSuite(config, .init = setup, .fini = teardown);

static int read_text(const char *text)
{
    snprintf(path, sizeof(path), "/tmp/ringside-config-XXXXXX");
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    int result = config_read(&config, path, &error);
    unlink(path);
    return result;
}

static void expect_refused(const char *text, unsigned line, const char *rule)
{
    char where[80];
    cr_assert_eq(read_text(text), ERROR_INVALID, "accepted: %s", text);
    snprintf(where, sizeof(where), "%s:%u", path, line);
    cr_expect_str_eq(error.where, where);
    cr_expect(strstr(error.what, rule), "'%s' does not say '%s'", error.what, rule);
}

/* ---- values -------------------------------------------------------------------------------------------------------
 */

Test(config, has_the_defaults_of_the_table)
{
    cr_expect_str_eq(config.exchange_rings_directory, "/dev/shm/ringside");
    cr_expect_eq(config.rings_event_slots, 32768);
    cr_expect_eq(config.journal_durability, DURABILITY_SYNC);
    cr_expect_eq(config.exchange_log_level, LOG_LEVEL_INFO);
    cr_expect_eq(config.instrument_count, 0);
    cr_expect_eq(config_check(&config, &error), 0);
}

Test(config, reads_every_kind_of_option)
{
    cr_assert_eq(read_text("# a comment\n[exchange]\nwait = park\ngateways=2 ; two\n\n[journal]\n  durability : off\n"
                           "segment_bytes = 64M\n[postgres]\nconnection = host=/run/x user=ringside dbname=r\n"),
                 0, "%s: %s", error.where, error.what);
    cr_expect_eq(config.exchange_wait, WAIT_PARK);
    cr_expect_eq(config.exchange_gateways, 2);
    cr_expect_eq(config.journal_durability, DURABILITY_OFF);
    cr_expect_eq(config.journal_segment_bytes, 67108864u);
    cr_expect_str_eq(config.postgres_connection, "host=/run/x user=ringside dbname=r");
    cr_expect_str_eq(config.path, path);
}

Test(config, refuses_with_file_line_and_rule)
{
    expect_refused("[exchange]\n\nwaits = park\n", 3, "there is no option waits in [exchange]");
    expect_refused("[exchange]\nwait = sleep\n", 2, "auto|spin|park");
    expect_refused("\n[exchanges]\n", 2, "there is no section [exchanges]");
    expect_refused("[exchange]\ngateways = 9\n", 2, "not within 1 to 8");
    expect_refused("[exchange]\ngateways = two\n", 2, "not a whole number");
    expect_refused("[exchange]\ngateways = -1\n", 2, "not a whole number");
    expect_refused("[rings]\nevent_slots = 18446744073709551616\n", 2, "not within");
    expect_refused("[rings]\nevent_slots = 18014398509481985K\n", 2, "not within");
    expect_refused("[rings]\nevent_slots = 64KB\n", 2, "not a whole number");
    expect_refused("[rings]\nevent_slots\n", 2, "neither");
    expect_refused("wait = park\n", 1, "there is no option wait in []");
    expect_refused("[exchange]\nwait = park\n[rings]\n[exchange]\nwait = spin\n", 5, "given twice, first in line 2");
}

Test(config, refuses_a_line_that_would_be_cut)
{
    char text[1200] = "[redis]\nprefix = ";
    memset(text + strlen(text), 'x', 700);
    expect_refused(text, 2, "longer than");
}

Test(config, reports_the_first_of_several_mistakes)
{
    expect_refused("[exchange]\nfirst = 1\nsecond = 2\n[third]\n", 2, "first");
}

Test(config, says_that_a_file_is_not_there)
{
    cr_expect_eq(config_read(&config, "/nonexistent/ringside.conf", &error), ERROR_SYSTEM);
    cr_expect_str_eq(error.where, "/nonexistent/ringside.conf");
    cr_expect(strstr(error.what, "No such file"));
}

Test(config, a_refused_value_changes_nothing)
{
    cr_expect_eq(config_set(&config, "exchange.gateways=99", &error), ERROR_INVALID);
    cr_expect_eq(config.exchange_gateways, 1);
    char assignment[400] = "redis.prefix=";
    memset(assignment + strlen(assignment), 'x', 300);
    cr_expect_eq(config_set(&config, assignment, &error), ERROR_INVALID);
    cr_expect_str_eq(config.redis_prefix, "ringside");
}

static uint64_t random_state = 88172645463325252u;

static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % limit);
}

/* The annotated file with a few bytes changed or moved: read, or refused with a place and a rule; under ASan, nothing
 * else. */
Test(config, survives_damaged_files)
{
    static const char alphabet[] = "[]=:;#. \n\r\t\\\"0123456789KMGabz\x01\xff";
    static char good[65536];
    static char bad[65536];
    size_t bytes = config_describe(good, sizeof(good), false);
    cr_assert_lt(bytes, sizeof(good));
    for (int i = 0; i < 2000; i++) {
        memcpy(bad, good, bytes + 1);
        for (size_t changes = 1 + random_below(8); changes > 0; changes--) {
            size_t at = random_below(bytes);
            if (random_below(2) == 0)
                bad[at] = alphabet[random_below(sizeof(alphabet) - 1)];
            else
                memmove(bad + at, bad + random_below(bytes), random_below(bytes - at < 200 ? bytes - at : 200));
        }
        memset(&error, 0, sizeof(error));
        int result = read_text(bad);
        cr_assert(result == 0 || (error.code == result && error.where[0] && error.what[0]), "round %d", i);
        config_finish(&config);
        config_init(&config);
    }
}

/* ---- overrides ----------------------------------------------------------------------------------------------------
 */

Test(config, overrides_by_name)
{
    cr_expect_eq(config_set(&config, "journal.batch_bytes=64K", &error), 0);
    cr_expect_eq(config.journal_batch_bytes, 65536);
    cr_expect_eq(config_set(&config, "postgres.connection=host=/x user=a.b", &error), 0);
    cr_expect_str_eq(config.postgres_connection, "host=/x user=a.b");
    static const char *const refused[] = {"journal", "journal.batch_bytes", "=1", "batch_bytes=1", "journal.no=1", "."};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        cr_expect_eq(config_set(&config, refused[i], &error), ERROR_INVALID, "accepted: %s", refused[i]);
}

Test(config, overrides_an_instrument_in_its_place)
{
    cr_assert_eq(read_text("[instruments]\nAAPL =\nMSFT = lot 100\n"), 0);
    cr_expect_eq(config_set(&config, "instruments.AAPL=tick 0.05", &error), 0);
    cr_expect_eq(config_set(&config, "instruments.TSLA=", &error), 0);
    cr_assert_eq(config.instrument_count, 3);
    cr_expect_eq(memcmp(config.instruments[0].symbol, "AAPL    ", 8), 0);
    cr_expect_eq(config.instruments[0].tick_ticks, 500);
    cr_expect_eq(memcmp(config.instruments[2].symbol, "TSLA    ", 8), 0);
}

/* ---- instruments --------------------------------------------------------------------------------------------------
 */

Test(config, reads_prices_exactly)
{
    cr_assert_eq(read_text("[instruments]\nAAPL = tick 0.01 lot 1 reference 585.33\n"
                           "A.B = reference 199999.99 tick 0.0001\nBRK/A = lot 999999\nX =\n"),
                 0, "%s: %s", error.where, error.what);
    const struct config_instrument *instrument = config.instruments;
    cr_assert_eq(config.instrument_count, 4);
    cr_expect_eq(instrument[0].tick_ticks, 100);
    cr_expect_eq(instrument[0].reference_ticks, 5853300);
    cr_expect_eq(instrument[1].tick_ticks, 1);
    cr_expect_eq(instrument[1].reference_ticks, 1999999900);
    cr_expect_eq(instrument[2].lot_quantity, 999999);
    cr_expect_eq(instrument[3].tick_ticks, 100);
    cr_expect_eq(instrument[3].lot_quantity, 1);
    cr_expect_eq(instrument[3].reference_ticks, 0);
}

Test(config, refuses_what_is_no_instrument)
{
    expect_refused("[instruments]\nAAPL = tick 0.00001\n", 2, "tick '0.00001'");
    expect_refused("[instruments]\nAAPL = tick 0\n", 2, "tick '0'");
    expect_refused("[instruments]\nAAPL = tick 1e-2\n", 2, "tick '1e-2'");
    expect_refused("[instruments]\nAAPL = tick .\n", 2, "tick '.'");
    expect_refused("[instruments]\nAAPL = tick -1\n", 2, "tick '-1'");
    expect_refused("[instruments]\nAAPL = reference 200000\n", 2, "reference '200000'");
    expect_refused("[instruments]\nAAPL = reference 99999999999999999999999\n", 2, "reference");
    expect_refused("[instruments]\nAAPL = lot 1.5\n", 2, "lot '1.5'");
    expect_refused("[instruments]\nAAPL = lot\n", 2, "followed by nothing");
    expect_refused("[instruments]\nAAPL = lots 5\n", 2, "'lots' is none of");
    expect_refused("[instruments]\nTOOLONGNAME =\n", 2, "symbol 'TOOLONGNAME'");
    expect_refused("[instruments]\nA B =\n", 2, "symbol 'A B'");
    expect_refused("[instruments]\nAAPL =\nMSFT =\nAAPL = lot 5\n", 4, "given twice, first in line 2");
}

Test(config, takes_as_many_instruments_as_it_says)
{
    char *text = malloc((size_t)16 * (CONFIG_INSTRUMENTS_MAX + 3));
    size_t bytes = (size_t)sprintf(text, "[instruments]\n");
    for (unsigned i = 0; i < CONFIG_INSTRUMENTS_MAX; i++)
        bytes += (size_t)sprintf(text + bytes, "I%u =\n", i);
    cr_expect_eq(read_text(text), 0, "%s: %s", error.where, error.what);
    cr_expect_eq(config.instrument_count, CONFIG_INSTRUMENTS_MAX);
    cr_expect_eq(config_set(&config, "instruments.ONEMORE=", &error), ERROR_FULL);
    free(text);
}

/* ---- rules between options ----------------------------------------------------------------------------------------
 */

static void expect_check_refuses(const char *assignment, const char *rule)
{
    config_finish(&config);
    config_init(&config);
    cr_assert_eq(config_set(&config, assignment, &error), 0, "%s", error.what);
    cr_expect_eq(config_check(&config, &error), ERROR_INVALID, "accepted: %s", assignment);
    cr_expect(strstr(error.what, rule), "'%s' does not say '%s'", error.what, rule);
}

Test(config, checks_rules_between_options)
{
    expect_check_refuses("rings.command_slots=1000", "power of two");
    expect_check_refuses("engine.levels_max=65", "power of two");
    expect_check_refuses("journal.batch_bytes=10000", "multiple of 4096");
    expect_check_refuses("journal.segment_bytes=1048577", "multiple of 4096");
    expect_check_refuses("exchange.rings_directory=rings", "absolute");
    expect_check_refuses("journal.directory=", "empty");
    cr_expect_eq(config_set(&config, "journal.directory=/x", &error), 0);
    cr_expect_eq(config_set(&config, "gateway.port=65535", &error), 0);
    cr_expect_eq(config_check(&config, &error), 0);
    cr_expect_eq(config_set(&config, "exchange.gateways=2", &error), 0);
    cr_expect_eq(config_check(&config, &error), ERROR_INVALID);
}

/* ---- the table as text --------------------------------------------------------------------------------------------
 */

Test(config, names_its_choices_as_the_table_does)
{
    for (int i = 0; i < 3; i++) {
        char assignment[64];
        snprintf(assignment, sizeof(assignment), "journal.durability=%s",
                 config_durability_name((enum config_durability)i));
        cr_expect_eq(config_set(&config, assignment, &error), 0);
        cr_expect_eq((int)config.journal_durability, i);
        snprintf(assignment, sizeof(assignment), "exchange.wait=%s", config_wait_name((enum config_wait)i));
        cr_expect_eq(config_set(&config, assignment, &error), 0);
        cr_expect_eq((int)config.exchange_wait, i);
    }
}

Test(config, the_annotated_file_is_the_table)
{
    size_t bytes = config_describe(NULL, 0, false);
    char *described = malloc(bytes + 1);
    char *kept = calloc(1, bytes + 2);
    cr_expect_eq(config_describe(described, bytes + 1, false), bytes);
    FILE *file = fopen(RINGSIDE_CONF, "re");
    cr_assert(file, "no %s", RINGSIDE_CONF);
    size_t kept_bytes = fread(kept, 1, bytes + 1, file);
    fclose(file);
    cr_expect(kept_bytes == bytes && memcmp(kept, described, bytes) == 0,
              "deploy/ringside.conf is not what the table says; make it by: ringside config >deploy/ringside.conf");
    free(described);
    free(kept);
}

Test(config, the_annotated_file_holds_the_defaults)
{
    struct config defaults;
    config_init(&defaults);
    cr_assert_eq(config_read(&config, RINGSIDE_CONF, &error), 0, "%s: %s", error.where, error.what);
#define TEXT(section, name, ...)   cr_expect_str_eq(config.section##_##name, defaults.section##_##name);
#define NUMBER(section, name, ...) cr_expect_eq(config.section##_##name, defaults.section##_##name, #section "." #name);
#define CHOICE(section, name, ...) cr_expect_eq(config.section##_##name, defaults.section##_##name, #section "." #name);
    CONFIG_OPTIONS(TEXT, NUMBER, CHOICE)
#undef TEXT
#undef NUMBER
#undef CHOICE
    cr_expect_eq(config.instrument_count, 0);
}

Test(config, describes_within_the_room_it_has)
{
    char text[100];
    memset(text, 'x', sizeof(text));
    cr_expect_gt(config_describe(text, 50, true), 50);
    cr_expect_eq(text[49], '\0');
    cr_expect_eq(text[50], 'x');
}
