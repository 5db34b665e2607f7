/* The least that a server of one-shot sessions can do: one thread that accepts a connection, reads to the NUL, sends
 * an answer that is always the same, shuts down, and closes; one connection after the other.
 *
 * `docket bench` first writes the document that it will ask for, on a persistent session, and wants to be told that this
 * was done: the answer to a PUT is the one exception.
 *
 *   cc -O2 -o accept_loop accept_loop.c && ./accept_loop PORT ANSWER
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* With the NUL behind it. */
static const char written[] =
    "{\"code\": 201, \"message\": \"Created\", \"data\": {\"path\": \"/bench/0\", \"id\": \"0\", \"revision\": 1}}";

static int listen_on_loopback(int port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int yes = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
    perror("accept_loop");
    exit(1);
  }
  return listener;
}

/* Reads a request and answers it. A client that has gone meanwhile misses its answer. */
static void serve(int connection, const char *answer, size_t length) {
  char buffer[65536];
  ssize_t count;
  do {
    count = read(connection, buffer, sizeof buffer);
    if (count <= 0) return;
  } while (!memchr(buffer, 0, count));
  if (memmem(buffer, count, "\"PUT\"", 5)) {
    answer = written;
    length = sizeof written;
  }
  if (send(connection, answer, length, MSG_NOSIGNAL) == (ssize_t)length) shutdown(connection, SHUT_WR);
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: accept_loop PORT ANSWER\n");
    return 2;
  }
  const char *answer = arguments[2];
  size_t length = strlen(answer);
  int listener = listen_on_loopback(atoi(arguments[1]));
  for (;;) {
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) continue;
    serve(connection, answer, length);
    close(connection);
  }
}
