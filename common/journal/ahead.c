#include "journal/ahead.h"

#include "base/require.h"
#include "env/disk.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES ((size_t)1 << 20)
#define PIECES      4u
#define THREADS     2u /* so that the disk has the next request when it is done with one */

struct piece {
    uint8_t *bytes;
    size_t count; /* less than PIECE_BYTES: the file ends in it */
    bool filled;
    struct error error; /* code 0: none */
};

/* The threads fill pieces [taken, claimed); both numbers only grow, until a stop sets them back. */
struct journal_ahead {
    pthread_t threads[THREADS];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint8_t *memory;
    struct piece pieces[PIECES];
    int file;              /* -1: stopped */
    uint64_t offset_first; /* of piece 0 */
    uint64_t claimed;
    uint64_t taken;
    size_t used;            /* bytes of the oldest piece that were given */
    uint64_t at;            /* offset of the byte that is given next */
    uint32_t reading_count; /* threads in the disk's read */
    bool ended;             /* nothing comes behind the pieces that are claimed */
    bool quits;
};

/* ---- the threads --------------------------------------------------------------------------------------------------
 */

static bool may_read(const struct journal_ahead *ahead)
{
    return ahead->file >= 0 && !ahead->ended && ahead->claimed - ahead->taken < PIECES;
}

/* With the lock held, which is let go while the disk reads. */
static void fill_piece(struct journal_ahead *ahead)
{
    uint64_t number = ahead->claimed++;
    struct piece *piece = &ahead->pieces[number % PIECES];
    uint64_t offset = ahead->offset_first + number * PIECE_BYTES;
    int file = ahead->file;
    ahead->reading_count++;
    pthread_mutex_unlock(&ahead->lock);
    piece->error.code = 0;
    piece->count = 0;
    int result = disk()->read(file, offset, piece->bytes, PIECE_BYTES, &piece->count, &piece->error);
    pthread_mutex_lock(&ahead->lock);
    ahead->reading_count--;
    ahead->ended = ahead->ended || result < 0 || piece->count < PIECE_BYTES;
    piece->filled = true;
    pthread_cond_broadcast(&ahead->changed);
}

static void *read_on(void *argument)
{
    struct journal_ahead *ahead = argument;
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->quits) {
        if (may_read(ahead))
            fill_piece(ahead);
        else
            pthread_cond_wait(&ahead->changed, &ahead->lock);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

/* ---- making and ending --------------------------------------------------------------------------------------------
 */

static void end(struct journal_ahead *ahead, uint32_t thread_count)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->quits = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    for (uint32_t i = 0; i < thread_count; i++)
        pthread_join(ahead->threads[i], NULL);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->lock);
    free(ahead->memory);
    free(ahead);
}

int journal_ahead_create(struct journal_ahead **ret_ahead, struct error *error)
{
    struct journal_ahead *ahead = calloc(1, sizeof(*ahead));
    uint8_t *memory = aligned_alloc(DISK_BLOCK_BYTES, PIECES * PIECE_BYTES);
    if (!ahead || !memory) {
        free(ahead);
        free(memory);
        return error_system(error, ENOMEM, "journal", "no memory to read ahead");
    }
    ahead->file = -1;
    ahead->memory = memory;
    for (uint32_t i = 0; i < PIECES; i++)
        ahead->pieces[i].bytes = memory + i * PIECE_BYTES;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    for (uint32_t i = 0; i < THREADS; i++) {
        int failed = pthread_create(&ahead->threads[i], NULL, read_on, ahead);
        if (failed) {
            end(ahead, i);
            return error_system(error, failed, "journal", "no thread to read ahead");
        }
    }
    *ret_ahead = ahead;
    return 0;
}

void journal_ahead_destroy(struct journal_ahead *ahead)
{
    if (ahead)
        end(ahead, THREADS);
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

static void stop_locked(struct journal_ahead *ahead)
{
    ahead->file = -1;
    while (ahead->reading_count > 0)
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    ahead->claimed = ahead->taken = 0;
    ahead->used = 0;
    ahead->ended = false;
    for (uint32_t i = 0; i < PIECES; i++)
        ahead->pieces[i].filled = false;
}

void journal_ahead_stop(struct journal_ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    stop_locked(ahead);
    pthread_mutex_unlock(&ahead->lock);
}

static void go_to(struct journal_ahead *ahead, int file, uint64_t offset)
{
    if (ahead->file == file && ahead->at == offset)
        return;
    stop_locked(ahead);
    ahead->file = file;
    ahead->at = ahead->offset_first = offset;
    pthread_cond_broadcast(&ahead->changed);
}

/* The oldest piece, once it is there; NULL: there are no more. */
static struct piece *wait_for_piece(struct journal_ahead *ahead)
{
    struct piece *piece = &ahead->pieces[ahead->taken % PIECES];
    while (!piece->filled && (ahead->claimed > ahead->taken || !ahead->ended))
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    return piece->filled ? piece : NULL;
}

/* The piece is the caller's until it is given back, so it is copied without the lock. */
static size_t take(struct journal_ahead *ahead, struct piece *piece, uint8_t *to, size_t bytes)
{
    size_t left = piece->count - ahead->used;
    size_t count = left < bytes ? left : bytes;
    pthread_mutex_unlock(&ahead->lock);
    memcpy(to, piece->bytes + ahead->used, count);
    pthread_mutex_lock(&ahead->lock);
    ahead->used += count;
    ahead->at += count;
    if (ahead->used == PIECE_BYTES) {
        ahead->used = 0;
        ahead->taken++;
        piece->filled = false;
        pthread_cond_broadcast(&ahead->changed);
    }
    return count;
}

int journal_ahead_read(struct journal_ahead *ahead, int file, uint64_t offset, void *to, size_t bytes,
                       size_t *ret_count, struct error *error)
{
    size_t count = 0;
    int result = 0;
    REQUIRE(file >= 0);
    pthread_mutex_lock(&ahead->lock);
    go_to(ahead, file, offset);
    while (count < bytes && result == 0) {
        struct piece *piece = wait_for_piece(ahead);
        size_t taken = piece ? take(ahead, piece, (uint8_t *)to + count, bytes - count) : 0;
        count += taken;
        if (taken > 0)
            continue;
        result = piece ? piece->error.code : 0;
        if (result < 0 && error)
            *error = piece->error;
        break; /* the end of the file, or a failure */
    }
    pthread_mutex_unlock(&ahead->lock);
    if (result == 0)
        *ret_count = count;
    return result;
}
