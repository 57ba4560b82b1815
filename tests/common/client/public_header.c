/* The public headers alone: compiled as C11, C17 and C++ by the test beside this. */
#include "client/ringside_client.h"
#include "client/ringside_tls.h"
#include "client/ringside_trader.h"

enum { PUBLIC_HEADER_NEEDS_NOTHING = RS_CLIENT_OPEN };
