/* What `ringside-persister NAME`, hence `ringside persister NAME`, does besides being the stage. */
#ifndef RINGSIDE_PERSISTER_TOOLS_H
#define RINGSIDE_PERSISTER_TOOLS_H

int check_main(int argc, char **argv);   /* tool_check.c */
int rebuild_main(int argc, char **argv); /* tool_rebuild.c */

#endif
