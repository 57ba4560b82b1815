#include "show/text.h"

#include "base/units.h"
#include "record/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *time_text(uint64_t time_ns, char text[TIME_TEXT_BYTES])
{
    time_t seconds = (time_t)(time_ns / NS_PER_SECOND);
    struct tm broken;
    char date[24];
    snprintf(text, TIME_TEXT_BYTES, "-");
    if (time_ns != 0 && gmtime_r(&seconds, &broken) && strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &broken) > 0)
        snprintf(text, TIME_TEXT_BYTES, "%s.%09lluZ", date, (unsigned long long)(time_ns % NS_PER_SECOND));
    return text;
}

const char *price_text(int32_t price_ticks, char text[PRICE_TEXT_BYTES])
{
    if (price_ticks == PRICE_TICKS_MARKET) {
        snprintf(text, PRICE_TEXT_BYTES, "market");
        return text;
    }
    int64_t size = price_ticks < 0 ? -(int64_t)price_ticks : price_ticks;
    int length = snprintf(text, PRICE_TEXT_BYTES, "%s%lld.%04lld", price_ticks < 0 ? "-" : "",
                          (long long)(size / PRICE_TICKS_PER_UNIT), (long long)(size % PRICE_TICKS_PER_UNIT));
    for (int zeros = 0; zeros < 2 && text[length - 1] == '0'; zeros++)
        text[--length] = '\0';
    return text;
}

bool number_read(const char *text, uint64_t *ret)
{
    char *end = NULL;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret = number;
    return true;
}

/* Digits behind the point, as ns. NULL: there is none behind it. */
static const char *take_decimals(const char *at, uint64_t *ret_ns)
{
    uint64_t unit = NS_PER_SECOND;
    *ret_ns = 0;
    for (; *at >= '0' && *at <= '9' && unit > 1; at++) {
        unit /= 10;
        *ret_ns += (uint64_t)(*at - '0') * unit;
    }
    return unit == NS_PER_SECOND ? NULL : at;
}

bool time_read(const char *text, uint64_t *ret_ns)
{
    static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
                                        "%Y-%m-%d"};
    if (number_read(text, ret_ns))
        return true;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct tm broken = {0};
        uint64_t decimals_ns = 0;
        const char *end = strptime(text, forms[i], &broken);
        if (end && *end == '.')
            end = take_decimals(end + 1, &decimals_ns);
        if (end && *end == 'Z')
            end++;
        time_t seconds = timegm(&broken);
        if (!end || *end != '\0' || seconds < 0)
            continue;
        *ret_ns = (uint64_t)seconds * NS_PER_SECOND + decimals_ns;
        return true;
    }
    return false;
}
