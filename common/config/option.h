/*
 * The table of options as data, made from CONFIG_OPTIONS. For the files of this folder only.
 */
#ifndef RINGSIDE_CONFIG_OPTION_H
#define RINGSIDE_CONFIG_OPTION_H

#include "config/config.h"

enum option_kind {
    OPTION_KIND_TEXT,
    OPTION_KIND_NUMBER,
    OPTION_KIND_CHOICE,
};

struct config_option {
    const char *section;
    const char *name;
    const char *help;
    const char *text_default; /* text: the value; number, choice: NULL */
    const char *choices;      /* choice: "a|b|c" in the order of the enum */
    uint64_t number_default;  /* number: the value; choice: its index */
    uint64_t number_min;
    uint64_t number_max;
    size_t offset; /* of the field in struct config */
    enum option_kind kind;
};

#define CONFIG_INSTRUMENTS_SECTION "instruments"
#define CONFIG_FIRMS_SECTION       "firms"

extern const struct config_option config_options[];
extern const uint32_t config_option_count;

/* The option, or NULL. */
const struct config_option *config_option_find(const char *section, const char *name);

/* Whether some option, or the instruments, live in this section. */
bool config_section_known(const char *section);

/* Sets one option of the table from its text; `where` names the place the text is from. */
int config_option_assign(struct config *config, const struct config_option *option, const char *value,
                         const char *where, struct error *error);

/* Copies the index-th of "a|b|c" into name; false if there are fewer. */
bool config_choice_name(const char *choices, uint32_t index, char *name, size_t name_bytes);

/* Reads `SYMBOL` and `tick 0.01 lot 1 reference 585.33`, all parts optional. */
int config_instrument_parse(struct config_instrument *ret, const char *symbol, const char *value, const char *where,
                            struct error *error);

/* Reads `FRMA` and `quantity_max 10000 notional_max 5000000`, both parts optional. */
int config_firm_parse(struct config_firm *ret, const char *firm, const char *value, const char *where,
                      struct error *error);

/* Adds a firm at the end; ERROR_INVALID if it is there, unless it may be replaced. */
int config_firm_put(struct config *config, const struct config_firm *firm, bool replaces, const char *where,
                    struct error *error);

/* Adds an instrument at the end. */
int config_instrument_add(struct config *config, const struct config_instrument *instrument, const char *where,
                          struct error *error);

/* Replaces the instrument of that symbol, or adds it. */
int config_instrument_put(struct config *config, const struct config_instrument *instrument, const char *where,
                          struct error *error);

#endif
