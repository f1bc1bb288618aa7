/* The event loop. A connection's handler says what becomes of it. */
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

Connection connections[2 * MAX_CLIENTS];
int connection_count;
char scratch[SCRATCH];
Handler *client_work = parked, *centre_work = parked;
struct sockaddr_in listen_address, relay_address;
long header_length;

static int poller, listener = -1;

void make_poller(void) {
    poller = epoll_create1(0);
}

void watch(Connection *connection, unsigned events) {
    if (connection->watched && connection->events == events) return;
    struct epoll_event event = { .events = events, .data.ptr = connection };
    int operation = connection->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(poller, operation, connection->fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
    connection->watched = 1;
    connection->events = events;
}

/* Not even errors are told any more. */
void unwatch(Connection *connection) {
    if (connection->watched) epoll_ctl(poller, EPOLL_CTL_DEL, connection->fd, NULL);
    connection->watched = 0;
}

void shut(Connection *connection) {
    close(connection->fd);
    connection->fd = -1;
    connection->watched = 0;
}

static Connection *add_connection(int fd, int is_client, Handler *handler) {
    if (connection_count == 2 * MAX_CLIENTS) fail("more than %d connections", MAX_CLIENTS);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *connection = &connections[connection_count++];
    *connection = (Connection){ .fd = fd, .is_client = is_client, .handler = handler };
    return connection;
}

Connection *connect_to_relay(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0) fail("socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&relay_address, sizeof relay_address) < 0 && errno != EINPROGRESS)
        fail("cannot connect to the relay: %s", strerror(errno));
    return add_connection(fd, 1, go_on_beginning);
}

static void accept_all(void) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0 && errno == EAGAIN) return;
        if (fd < 0) fail("accept: %s", strerror(errno));
        Connection *connection = add_connection(fd, 0, drop_header);
        connection->skip = header_length;
        watch(connection, EPOLLIN);
    }
}

/* Nothing is to happen, and an end comes too early. */
void parked(Connection *connection, unsigned events) {
    if (events == 0) watch(connection, EPOLLRDHUP);
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        fail("the relay dropped a %s that did nothing", connection->is_client ? "client" : "data centre");
}

void turn(int milliseconds) {
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, milliseconds);
    if (count < 0 && errno != EINTR) fail("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        Connection *connection = events[i].data.ptr;
        if (connection == NULL) accept_all();
        else if (connection->fd >= 0) connection->handler(connection, events[i].events);
    }
}

void listen_for_relay(void) {
    if (listener >= 0) return;
    int on = 1;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&listen_address, sizeof listen_address) < 0 || listen(listener, 4096) < 0)
        fail("cannot listen as a data centre: %s", strerror(errno));
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}
