/*
 * hiredis as far as the persister uses it, over a link to the simulated server. Replies are read by the library's own
 * reader; connecting, the socket's calls and their ends are what is simulated.
 */
#include "redis_server.h"
#include "store_link.h"
#include "stores.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define INPUT_BYTES 4096

static redisContext contexts[STORE_LINKS_MAX];
static const struct process *owners[STORE_LINKS_MAX];

redisContext *__wrap_redisConnectUnixNonBlock(const char *path);
void __wrap_redisFree(redisContext *context);
int __wrap_redisBufferRead(redisContext *context);
int __wrap_redisGetReplyFromReader(redisContext *context, void **reply);
int __real_redisGetReplyFromReader(redisContext *context, void **reply);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
int __wrap_getsockopt(int fd, int level, int name, void *value, const socklen_t *bytes);

redisContext *__wrap_redisConnectUnixNonBlock(const char *path)
{
    (void)path;
    process_kill_point("redis: connect");
    uint32_t index = 0;
    while (contexts[index].reader)
        index++;
    redisContext *context = &contexts[index];
    *context = (redisContext){.reader = redisReaderCreate()};
    owners[index] = process_current;
    context->fd = stores_up(SIDE_REDIS) ? store_link_open(SIDE_REDIS) : -1;
    if (context->fd < 0) {
        context->err = REDIS_ERR_IO;
        snprintf(context->errstr, sizeof(context->errstr), "connection refused");
    }
    return context;
}

static void release(redisContext *context)
{
    redisReaderFree(context->reader);
    context->reader = NULL;
}

void __wrap_redisFree(redisContext *context)
{
    if (context->fd >= 0)
        store_link_hang_up(context->fd);
    release(context);
}

void redis_client_forget(const struct process *process)
{
    for (uint32_t i = 0; i < STORE_LINKS_MAX; i++)
        if (contexts[i].reader && owners[i] == process)
            release(&contexts[i]);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, const socklen_t *bytes)
{
    const struct store_link *link = store_link_of(fd);
    int problem = link->server_open ? 0 : ECONNRESET;
    if (level != SOL_SOCKET || name != SO_ERROR || *bytes != sizeof(problem)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(value, &problem, sizeof(problem));
    return 0;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (!process_current)
        return __real_sendmsg(fd, message, flags);
    process_kill_point("redis: send");
    struct store_link *link = store_link_of(fd);
    ssize_t sum = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct iovec *piece = &message->msg_iov[i];
        int64_t taken = store_link_send(link, piece->iov_base, piece->iov_len);
        if (sum == 0 && taken <= 0) {
            errno = taken < 0 ? EPIPE : EAGAIN;
            return -1;
        }
        sum += taken > 0 ? taken : 0;
        if (taken < (int64_t)piece->iov_len)
            break;
    }
    process_kill_point("redis: sent");
    return sum;
}

int __wrap_redisBufferRead(redisContext *context)
{
    char bytes[INPUT_BYTES];
    process_kill_point("redis: read");
    int64_t count = store_link_receive(store_link_of(context->fd), bytes, sizeof(bytes));
    if (count > 0)
        return redisReaderFeed(context->reader, bytes, (size_t)count);
    if (count == 0)
        return REDIS_OK;
    context->err = REDIS_ERR_EOF;
    snprintf(context->errstr, sizeof(context->errstr), "Server closed the connection");
    return REDIS_ERR;
}

int __wrap_redisGetReplyFromReader(redisContext *context, void **reply)
{
    process_kill_point("redis: reply");
    return __real_redisGetReplyFromReader(context, reply);
}
