/* What the files of the reference model have in common. */
#ifndef RINGSIDE_TESTS_ENGINE_MODEL_PARTS_H
#define RINGSIDE_TESTS_ENGINE_MODEL_PARTS_H

#include "model.h"

#include <string.h>

static inline bool sells(uint8_t side)
{
    return side != 'B';
}

static inline bool blank(const char firm[FIRM_BYTES])
{
    return memcmp(firm, "    ", FIRM_BYTES) == 0 || memcmp(firm, "\0\0\0\0", FIRM_BYTES) == 0;
}

/* model.c: events and books */
struct event *model_add_event(struct model *model, uint8_t kind);
void model_to_session(struct model *model, struct event *event, uint32_t session);
void model_answer(struct model *model, struct event *event);
void model_about(struct event *event, const struct model_order *order);
void model_refuse(struct model *model, enum engine_refusal why);
void model_reject(struct model *model, uint16_t reason);
void model_canceled(struct model *model, struct model_order *order, uint32_t leaves, char reason);
struct model_order *model_best_order(struct model *model, uint32_t instrument, bool of_sellers);
void model_report_top(struct model *model);
uint32_t model_live_orders(const struct model *model);
struct model_order *model_find_order(struct model *model, uint32_t user_ref);

/* model_requests.c and model_admin.c */
void model_request(struct model *model);
void model_other_command(struct model *model);

#endif
