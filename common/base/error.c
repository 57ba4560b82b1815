#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 5, 0))) static void fill(struct error *error, int code, int system, const char *where,
                                                       const char *format, va_list arguments)
{
    error->code = code;
    error->system = system;
    snprintf(error->where, sizeof(error->where), "%s", where ? where : "");
    vsnprintf(error->what, sizeof(error->what), format, arguments);
}

int error_set(struct error *error, int code, const char *where, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        fill(error, code, 0, where, format, arguments);
        va_end(arguments);
    }
    return code;
}

int error_system(struct error *error, int errno_value, const char *where, const char *format, ...)
{
    if (error) {
        va_list arguments;
        va_start(arguments, format);
        fill(error, ERROR_SYSTEM, errno_value, where, format, arguments);
        va_end(arguments);
        size_t used = strlen(error->what);
        snprintf(error->what + used, sizeof(error->what) - used, ": %s", strerrordesc_np(errno_value));
    }
    return ERROR_SYSTEM;
}

const char *error_name(int code)
{
    switch (code) {
    case 0:
        return "no error";
    case ERROR_NOT_YET:
        return "not yet";
    case ERROR_SYSTEM:
        return "system";
    case ERROR_CORRUPT:
        return "corrupt";
    case ERROR_MISMATCH:
        return "mismatch";
    case ERROR_HELD:
        return "held";
    case ERROR_INVALID:
        return "invalid";
    case ERROR_FULL:
        return "full";
    case ERROR_CLOSED:
        return "closed";
    case ERROR_IO:
        return "device failure";
    case ERROR_TIMEOUT:
        return "timeout";
    case ERROR_GONE:
        return "gone";
    default:
        return "unknown";
    }
}
