/* As many bytes as the relay can move, one way. */
#include "load.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURN = SCRATCH, WAKE = 1 << 16, SOURCE_SIZE = 4 << 20 };

static int source;
static long source_size, to_move, moved_in_all;
static int finished_count;

void make_source(const char *hex) {
    unsigned char *unit;
    size_t length = hex == NULL ? 0 : from_hex(hex, &unit);
    static unsigned char zeros[1 << 16];
    if (length == 0) {
        unit = zeros;
        length = sizeof zeros;
    }
    source = memfd_create("source", 0);
    source_size = 0;
    while (source_size < SOURCE_SIZE) {
        if (write(source, unit, length) != (ssize_t)length) fail("cannot make the source: %s", strerror(errno));
        source_size += length;
    }
}

/* Returns what was taken, 0 when there is no room. */
static long send_some(Connection *connection, long left) {
    off_t offset = connection->moved % source_size;
    long length = source_size - offset;
    if (length > left) length = left;
    if (length > TURN) length = TURN;
    long sent = sendfile(connection->fd, source, &offset, length);
    if (sent < 0 && errno == EAGAIN) return 0;
    if (sent <= 0) fail("a sender was cut off after %ld bytes: %s", connection->moved, strerror(errno));
    connection->moved += sent;
    return sent;
}

static void send_bulk(Connection *connection, unsigned events) {
    if (connection->moved < to_move) send_some(connection, to_move - connection->moved);
    else if (events & (EPOLLHUP | EPOLLERR)) return unwatch(connection);
    if (connection->moved == to_move) watch(connection, 0);
}

/* A receiver wakes when much has come, or all that is left; else a relay that writes little pieces costs us more. */
static void wake_at(Connection *connection) {
    long left = to_move - connection->moved;
    int lowest = left > WAKE ? WAKE : left > 0 ? left : 1;
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVLOWAT, &lowest, sizeof lowest);
}

static void receive_bulk(Connection *connection, unsigned events) {
    if (connection->finished) {
        if (events & (EPOLLHUP | EPOLLERR)) unwatch(connection);
        return;
    }
    long got = recv(connection->fd, scratch, TURN, MSG_TRUNC);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) fail("a receiver was cut off after %ld of %ld bytes", connection->moved, to_move);
    connection->moved += got;
    moved_in_all += got;
    if (to_move - connection->moved < WAKE) wake_at(connection);
    if (connection->moved < to_move) return;
    connection->finished = 1;
    finished_count++;
    watch(connection, 0);
}

/* Length and warm are for each connection; what moves until all together are warm is not measured. */
void bulk(int down, long length, long warm) {
    if (source == 0) make_source(NULL);
    open_clients(client_count, 128);
    to_move = length + warm;
    for (int i = 0; i < connection_count; i++) {
        Connection *connection = &connections[i];
        int receives = connection->is_client == down;
        connection->handler = receives ? receive_bulk : send_bulk;
        if (receives) wake_at(connection);
        watch(connection, receives ? EPOLLIN : EPOLLOUT);
    }
    while (moved_in_all < warm * client_count) turn(-1);
    long before = moved_in_all;
    meter_start();
    while (finished_count < client_count) turn(-1);
    meter_stop();
    meter_print(moved_in_all - before);
}

static long flooded;

static void send_flood(Connection *connection, unsigned events) {
    (void)events;
    flooded += send_some(connection, TURN);
}

/*
 * Every data centre sends as long as the relay takes anything, and no client reads. Ends when nothing was taken for so
 * many seconds. Their kernel buffers stay small: they are not what is measured.
 */
void flood(double quiet_seconds) {
    if (source == 0) make_source(NULL);
    int buffer = 1 << 17;
    for (int i = 0; i < connection_count; i++) {
        Connection *connection = &connections[i];
        if (connection->is_client) continue;
        setsockopt(connection->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        connection->handler = send_flood;
        watch(connection, EPOLLOUT);
    }
    meter_start();
    long before = -1;
    double last = now();
    while (flooded != before || now() - last < quiet_seconds) {
        if (flooded != before) {
            before = flooded;
            last = now();
        }
        turn(50);
    }
    meter_stop();
    meter_print(flooded);
}
