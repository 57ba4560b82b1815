#include "hooks.h"

#include <stddef.h>

static void (*visit)(const char *place);
static unsigned wanted;
static unsigned passed;
static bool reached;
static bool inside;

void hooks_arm(unsigned at, void (*visitor)(const char *place))
{
    visit = visitor;
    wanted = at;
    passed = 0;
    reached = inside = false;
}

bool hooks_reached(void)
{
    return reached;
}

void hooks_disarm(void)
{
    visit = NULL;
    inside = false;
}

void ring_hook(const char *place)
{
    if (!visit || inside || (wanted != HOOKS_EACH && passed++ != wanted))
        return;
    reached = inside = true;
    visit(place);
    inside = false;
}
