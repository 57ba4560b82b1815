/* Text in JSON: quotes, backslashes and control bytes are escaped, bytes beyond ASCII pass as they are. */
#ifndef RINGSIDE_VIEW_JSON_TEXT_H
#define RINGSIDE_VIEW_JSON_TEXT_H

#include <stdio.h>

/* Writes `text` with its quotes. */
void json_text_print(FILE *to, const char *text);

#endif
