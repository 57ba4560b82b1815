/* `ringside account`: adds users to an accounts file. Needs no gateway. */
#ifndef RINGSIDE_GATEWAY_ACCOUNT_TOOL_H
#define RINGSIDE_GATEWAY_ACCOUNT_TOOL_H

/* argv[0] is "account"; returns the exit code. */
int account_main(int argc, char **argv);

#endif
