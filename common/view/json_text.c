#include "view/json_text.h"

void json_text_print(FILE *to, const char *text)
{
    putc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(to, "\\%c", *text);
        else if ((unsigned char)*text < ' ')
            fprintf(to, "\\u%04x", (unsigned)(unsigned char)*text);
        else
            putc(*text, to);
    }
    putc('"', to);
}
