/*
 * Packets as they crossed real wires: OUCH 5.0 of Nasdaq, and a SoupBinTCP login of another venue. Facts, in hex.
 */
#ifndef RINGSIDE_TESTS_GOLDEN_H
#define RINGSIDE_TESTS_GOLDEN_H

#define GOLDEN_LOGIN_REQUEST                                                                                           \
    "002f4c75736572202070617373776f72642020202020202020202020202020202020202020202020202020202020202030"
#define GOLDEN_LOGIN_ACCEPTED   "001f41313638393139323132312020202020202020202020202020202020313335"
#define GOLDEN_CLIENT_HEARTBEAT "000152"
#define GOLDEN_SERVER_HEARTBEAT "000148"
#define GOLDEN_ENTER                                                                                                   \
    "0036554f0000007154000000e143564c54202020200000000000099db83059414e4e483846554238495620202020202000060502"         \
    "4c494d45"
#define GOLDEN_CANCEL "000a555800752e7100000000"
#define GOLDEN_ACCEPTED                                                                                                \
    "004a53410000289b4d64af8700753a8d42000000284144424520202020000000000048e7483559000000000f56b4f5414e4e4c37"         \
    "3638323730312020202020202000"                                                                                     \
    "0905024d4c524f021230"
#define GOLDEN_CANCELED "001353430000289b4d68131700753a8d0000002855"

#endif
