/* ringside-admin. */
#include "admin.h"

int main(int argc, char **argv)
{
    return stage_main(argc, argv, &admin_stage);
}
