#include "perf/probe/hops.h"

#define BEFORE_ITS_TIME UINT32_C(0xf0000000) /* as a difference: up to 268 ms less than nothing */

static const struct {
    const char *name;
    const char *key;
} texts[HOP_COUNT] = {
    [HOP_SEQUENCED] = {"received -> sequenced", "received_to_sequenced"},
    [HOP_MATCHED] = {"sequenced -> matched", "sequenced_to_matched"},
    [HOP_WHOLE] = {"received -> matched", "received_to_matched"},
};

const char *hop_name(enum hop hop)
{
    return texts[hop].name;
}

const char *hop_key(enum hop hop)
{
    return texts[hop].key;
}

void hops_clear(struct hops *hops)
{
    for (int hop = 0; hop < HOP_COUNT; hop++)
        histogram_clear(&hops->hops[hop]);
}

uint32_t hop_ns(uint32_t from_ns_low, uint32_t to_ns_low)
{
    uint32_t difference = to_ns_low - from_ns_low;
    return difference >= BEFORE_ITS_TIME ? 0 : difference;
}

void hops_command(struct hops *hops, const struct command *command)
{
    const struct record_head *head = &command->head;
    if (head->received_ns_low != 0 && command->gateway != 0)
        histogram_record(&hops->hops[HOP_SEQUENCED], hop_ns(head->received_ns_low, head->published_ns_low));
}

void hops_event(struct hops *hops, const struct event *event, const struct record_head *cause)
{
    const struct record_head *head = &event->head;
    if (event->index != 0 || head->received_ns_low == 0)
        return;
    histogram_record(&hops->hops[HOP_WHOLE], hop_ns(head->received_ns_low, head->published_ns_low));
    if (cause)
        histogram_record(&hops->hops[HOP_MATCHED], hop_ns(cause->published_ns_low, head->published_ns_low));
}

void batches_clear(struct batches *batches)
{
    histogram_clear(&batches->sizes);
    batches->size = 0;
    batches->next_seq = 0;
}

/* The first batch after a leap may have begun before it: its size stays 0, and it is not counted. */
void batches_note(struct batches *batches, uint64_t seq, uint32_t stamp)
{
    bool goes_on = batches->next_seq == seq;
    bool same = batches->stamp == stamp;
    if (goes_on && !same && batches->size > 0)
        histogram_record(&batches->sizes, batches->size);
    if (!goes_on)
        batches->size = 0;
    else if (!same)
        batches->size = 1;
    else if (batches->size > 0)
        batches->size++;
    batches->next_seq = seq + 1;
    batches->stamp = stamp;
}
