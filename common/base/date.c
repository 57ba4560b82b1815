#include "base/date.h"

#include <stdbool.h>
#include <string.h>

static bool is_date(uint32_t date)
{
    static const uint32_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t month = date / 100 % 100;
    return date >= 10000 && month >= 1 && month <= 12 && date % 100 >= 1 && date % 100 <= days[month - 1];
}

uint32_t date_read(const char *text)
{
    size_t length = strlen(text);
    bool has_dashes = length == 10 && text[4] == '-' && text[7] == '-';
    uint32_t date = 0;
    if (length != 8 && !has_dashes)
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (has_dashes && (i == 4 || i == 7))
            continue;
        if (text[i] < '0' || text[i] > '9')
            return 0;
        date = 10 * date + (uint32_t)(text[i] - '0');
    }
    return is_date(date) ? date : 0;
}
