/* Dates as a person writes them. */
#ifndef RINGSIDE_BASE_DATE_H
#define RINGSIDE_BASE_DATE_H

#include <stdint.h>

/* 20261124 of "20261124" or "2026-11-24"; 0: it is no date. */
uint32_t date_read(const char *text);

#endif
