/* Many clients in one thread, none of them polite, and a load that does not wait for answers. One epoll; each mode prints
 * a line of JSON when it is ready, waits for its standard input to end or its time to be up, and prints another. Times are in
 * seconds.
 *
 *   cc -O2 -o hostile hostile.c
 *   ./hostile idle  --port P --connections N [--greet]     open, silent
 *   ./hostile drip  --port P --connections N               a byte a second of a frame that never ends; again when cut off
 *   ./hostile mute  --port P --connections N --request R   asks R again and again, and never reads
 *                                                          (with --once: once)
 *   ./hostile flood --port P --connections N --request R   the same, and reads a little now and then
 *   ./hostile storm --port P --count N --way close|half|reset|part --request R    one after the other
 *   ./hostile rate  --port P --connections N --seconds S --request R [--keys K] --rate R [--unanswered U]    an open loop
 *   ./hostile rate  --port P --connections N --seconds S --request R --unanswered U                           a closed one
 *                   (with --server PID: what CPU time that process takes meanwhile, too)
 *
 * In the open loop requests are sent at the rate as long as a connection has fewer than U unanswered; what is due beyond
 * that is dropped. A request's time is counted from when it is handed to its connection.
 *
 * In a request a NUL is written `\0` and CRLF `\r\n`; `%ld` becomes a number below --keys, of nine digits always; `%s` becomes
 * --size times the letter x.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long port = 12000, count = 1, keys = 1000, size = 0, unanswered = 0, receive_buffer = 0;
static double seconds = 1, rate = 0;
static pid_t server = 0;
static int greets, once;
static const char *way = "close";
static char *request;
static size_t request_length;
static long number_at = -1;

static void fail(const char *what) {
  fprintf(stderr, "hostile: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

/* Seconds of CPU time that the server has taken since it began. */
static double server_time(void) {
  clockid_t clock;
  struct timespec time;
  if (!server) return 0;
  if ((errno = clock_getcpuclockid(server, &clock)) || clock_gettime(clock, &time)) fail("the server's CPU time");
  return time.tv_sec + time.tv_nsec / 1e9;
}

static uint64_t seed = 88172645463325252ull;
static uint64_t chance(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  return seed ^= seed << 17;
}

/* Times, in steps of a thirty-second part of a microsecond's power of two. */
enum { steps = 32, ranges = 40 };
struct spread {
  uint64_t counts[ranges * steps], count;
};

static void record(struct spread *spread, double time) {
  uint64_t value = time * 1e9;
  if (value < steps) value = steps;
  int shift = 63 - __builtin_clzll(value) - 5;
  spread->counts[shift * steps + (value >> shift) - steps]++;
  spread->count++;
}

static double percentile(const struct spread *spread, double share) {
  uint64_t wanted = share * spread->count, seen = 0;
  for (int index = 0; index < ranges * steps; index++) {
    seen += spread->counts[index];
    if (seen > wanted) return ((uint64_t)(index % steps + steps) << (index / steps)) / 1e9;
  }
  return 0;
}

static void print_spread(const char *name, const struct spread *spread) {
  printf(", \"%s\": {\"count\": %lu, \"p50\": %.6f, \"p99\": %.6f, \"max\": %.6f}", name, (unsigned long)spread->count,
         percentile(spread, 0.5), percentile(spread, 0.99), percentile(spread, 0.9999999));
}

/* A port is one of some 28,000 for each address. */
static int open_from(long number, int waits) {
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + number / 5000 % 200)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1, connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) fail("socket");
  setsockopt(connection, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (receive_buffer) {
    int bytes = receive_buffer;
    setsockopt(connection, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  }
  if (bind(connection, (struct sockaddr *)&from, sizeof from)) fail("bind");
  if (connect(connection, (struct sockaddr *)&to, sizeof to)) {
    close(connection);
    return -1;
  }
  if (!waits) fcntl(connection, F_SETFL, fcntl(connection, F_GETFL) | O_NONBLOCK);
  return connection;
}

static void raise_files(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  struct rlimit more = {count + 100, limit.rlim_max > (rlim_t)count + 100 ? limit.rlim_max : (rlim_t)count + 100};
  if (limit.rlim_cur < more.rlim_cur && setrlimit(RLIMIT_NOFILE, &more)) fail("more open files");
}

/* `\0`, `\r` and `\n` become bytes, `%ld` room for a number, `%s` a text. */
static void read_request(const char *text) {
  request = malloc(strlen(text) + size + 64);
  char *end = request;
  for (const char *at = text; *at; at++) {
    if (*at == '\\' && (at[1] == '0' || at[1] == 'r' || at[1] == 'n')) {
      *end++ = at[1] == '0' ? 0 : at[1] == 'r' ? '\r' : '\n';
      at++;
    } else if (!strncmp(at, "%ld", 3)) {
      number_at = end - request;
      memcpy(end, "000000000", 9);
      end += 9;
      at += 2;
    } else if (!strncmp(at, "%s", 2)) {
      memset(end, 'x', size);
      end += size;
      at++;
    } else {
      *end++ = *at;
    }
  }
  request_length = end - request;
}

static void number_request(char *at) {
  if (number_at < 0) return;
  long number = chance() % keys;
  for (int digit = 8; digit >= 0; digit--, number /= 10) at[number_at + digit] = '0' + number % 10;
}

struct connection {
  int file;
  int events;
  double begin, next;
  /* Of `rate`: what is still to be sent, and when each request that is unanswered was due. */
  char *output;
  size_t length, sent, room;
  double *due;
  size_t head, tail;
  char start[16];
  size_t seen;
};
enum { due_room = 8192 };

static struct connection *all;
static int queue;
static long opened, ended, refused;
static int input_ended;

static void watch(long number, int events) {
  struct epoll_event event = {.events = events, .data.u64 = number};
  if (epoll_ctl(queue, all[number].events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, all[number].file, &event)) fail("epoll_ctl");
  all[number].events = events;
}

static int begin(long number, int events) {
  struct connection *one = &all[number];
  one->file = open_from(number, 0);
  one->events = 0;
  if (one->file < 0) {
    refused++;
    return 0;
  }
  opened++;
  one->begin = one->next = now();
  watch(number, events);
  return 1;
}

static void end(long number) {
  close(all[number].file);
  all[number].file = -1;
  all[number].events = 0;
  ended++;
}

static void prepare(int events) {
  raise_files();
  queue = epoll_create1(EPOLL_CLOEXEC);
  all = calloc(count, sizeof *all);
  for (long number = 0; number < count; number++) begin(number, events);
  if (!seconds) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
    if (epoll_ctl(queue, EPOLL_CTL_ADD, 0, &event)) fail("standard input");
  }
  printf("{\"opened\": %ld, \"refused\": %ld}\n", opened, refused);
  fflush(stdout);
}

static int is_input(const struct epoll_event *event) {
  char byte;
  if (event->data.u64 != UINT64_MAX) return 0;
  if (read(0, &byte, 1) <= 0) input_ended = 1;
  return 1;
}

static long still_open(void) {
  long result = 0;
  for (long number = 0; number < count; number++) result += all[number].file >= 0;
  return result;
}

static void idle(void) {
  static struct epoll_event events[1024];
  static char buffer[65536];
  const char greeting[] = "{\"method\":\"GET\",\"path\":\"/\",\"headers\":{\"Connection\":\"keep-alive\"}}";
  prepare(EPOLLIN);
  if (greets)
    for (long number = 0; number < count; number++)
      if (all[number].file >= 0) (void)!send(all[number].file, greeting, sizeof greeting, MSG_NOSIGNAL);
  while (!input_ended) {
    int ready = epoll_wait(queue, events, 1024, 1000);
    for (int index = 0; index < ready; index++) {
      if (is_input(&events[index])) continue;
      long number = events[index].data.u64;
      ssize_t length = read(all[number].file, buffer, sizeof buffer);
      if (length == 0 || (length < 0 && errno != EAGAIN)) end(number);
    }
  }
  printf("{\"open\": %ld, \"ended\": %ld}\n", still_open(), ended);
}

static void drip(void) {
  static struct epoll_event events[1024];
  char buffer[4096];
  static struct spread lives;
  long bytes = 0, told = 0, longest_open = 0;
  seconds = 0;
  prepare(EPOLLIN);
  while (!input_ended) {
    double time = now();
    for (long number = 0; number < count; number++) {
      struct connection *one = &all[number];
      if (one->file < 0 || one->next > time) continue;
      one->next = (one->next == one->begin ? time + (chance() % 1000) / 1000.0 : one->next + 1);
      bytes += send(one->file, "{", 1, MSG_NOSIGNAL) == 1;
    }
    /* To the millisecond, as clients send that know nothing of each other. */
    int ready = epoll_wait(queue, events, 1024, 1);
    for (int index = 0; index < ready; index++) {
      if (is_input(&events[index])) continue;
      long number = events[index].data.u64;
      ssize_t length = read(all[number].file, buffer, sizeof buffer);
      if (length > 0) {
        told += length > 12 && !memcmp(buffer, "{\"code\": 408", 12);
        continue;
      }
      if (length < 0 && errno == EAGAIN) continue;
      record(&lives, now() - all[number].begin);
      end(number);
      begin(number, EPOLLIN);
    }
  }
  for (long number = 0; number < count; number++)
    if (all[number].file >= 0 && now() - all[number].begin > longest_open) longest_open = now() - all[number].begin;
  printf("{\"bytes\": %ld, \"told408\": %ld, \"refused\": %ld, \"longestOpen\": %ld", bytes, told, refused, longest_open);
  print_spread("lives", &lives);
  printf("}\n");
}

/* Sends as much as is taken, from where it was left. */
static void pour(long number, long *bytes) {
  struct connection *one = &all[number];
  for (;;) {
    ssize_t length = send(one->file, request + one->sent, request_length - one->sent, MSG_NOSIGNAL);
    if (length < 0 && errno == EAGAIN) return;
    if (length < 0) return end(number);
    *bytes += length;
    one->sent = (one->sent + length) % request_length;
    if (once && !one->sent) {
      watch(number, EPOLLRDHUP);
      return;
    }
  }
}

static void mute(int reads) {
  static struct epoll_event events[1024];
  static char buffer[4096];
  long bytes = 0, received = 0;
  const char greeting[] = "{\"method\":\"GET\",\"path\":\"/\",\"headers\":{\"Connection\":\"keep-alive\"}}";
  seconds = 0;
  prepare(EPOLLOUT | EPOLLRDHUP | EPOLLET);
  if (greets)
    for (long number = 0; number < count; number++)
      if (all[number].file >= 0) (void)!send(all[number].file, greeting, sizeof greeting, MSG_NOSIGNAL);
  for (long number = 0; number < count; number++)
    if (all[number].file >= 0) pour(number, &bytes);
  double last = now();
  while (!input_ended) {
    int ready = epoll_wait(queue, events, 1024, 50);
    for (int index = 0; index < ready; index++) {
      if (is_input(&events[index])) continue;
      long number = events[index].data.u64;
      if (all[number].file < 0) continue;
      if (events[index].events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) end(number);
      else if (events[index].events & EPOLLOUT) pour(number, &bytes);
    }
    if (reads && now() - last > 0.05) {
      last = now();
      for (long number = 0; number < count; number++) {
        ssize_t length = all[number].file < 0 ? 0 : read(all[number].file, buffer, sizeof buffer);
        if (length > 0) received += length;
      }
    }
  }
  printf("{\"bytes\": %ld, \"received\": %ld, \"open\": %ld, \"ended\": %ld}\n", bytes, received, still_open(), ended);
}

static void storm(void) {
  static char buffer[65536];
  double start = now();
  long failed = 0;
  for (long number = 0; number < count; number++) {
    int connection = open_from(number, 1);
    if (connection < 0) {
      failed++;
      continue;
    }
    struct linger hard = {1, 0};
    if (!strcmp(way, "half")) {
      shutdown(connection, SHUT_WR);
      while (read(connection, buffer, sizeof buffer) > 0) continue;
    } else if (!strcmp(way, "reset")) {
      (void)!send(connection, request, request_length, MSG_NOSIGNAL);
      setsockopt(connection, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    } else if (!strcmp(way, "part")) {
      (void)!send(connection, request, 1 + chance() % (request_length - 1), MSG_NOSIGNAL);
    } else if (number % 2) {
      /* Without a wait in TIME_WAIT, of which there is only so much room. */
      setsockopt(connection, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
    close(connection);
  }
  printf("{\"count\": %ld, \"failed\": %ld, \"seconds\": %.3f}\n", count, failed, now() - start);
}

/* ---- a load ---- */

static struct spread good, bad;
static long others, broken, dropped, issued;
static double window_begin, window_end;
static long good_in_window, bad_in_window;

static int put_request(struct connection *one, double due) {
  size_t most = unanswered ? unanswered : due_room;
  if (one->file < 0 || one->tail - one->head >= most) return 0;
  if (one->length + request_length > one->room) {
    if (one->sent) {
      memmove(one->output, one->output + one->sent, one->length - one->sent);
      one->length -= one->sent;
      one->sent = 0;
    }
    if (one->length + request_length > one->room) return 0;
  }
  memcpy(one->output + one->length, request, request_length);
  number_request(one->output + one->length);
  one->length += request_length;
  one->due[one->tail++ % due_room] = due;
  return 1;
}

static void flush(long number) {
  struct connection *one = &all[number];
  if (one->file < 0) return;
  while (one->sent < one->length) {
    ssize_t length = send(one->file, one->output + one->sent, one->length - one->sent, MSG_NOSIGNAL);
    if (length < 0 && errno == EAGAIN) break;
    if (length < 0) {
      broken++;
      return end(number);
    }
    one->sent += length;
  }
  if (one->sent == one->length) one->sent = one->length = 0;
  int events = EPOLLIN | (one->length ? EPOLLOUT : 0);
  if (events != one->events) watch(number, events);
}

static void answered(struct connection *one, double time) {
  if (one->head == one->tail) return;
  double took = time - one->due[one->head++ % due_room];
  int in_window = time >= window_begin && time < window_end;
  /* Who reads what others delete is told so, and that is a good answer. */
  if (!memcmp(one->start, "{\"code\": 2", 10) || !memcmp(one->start, "{\"code\": 404", 12)) {
    if (in_window) record(&good, took);
    good_in_window += in_window;
  } else if (!memcmp(one->start, "{\"code\": 503", 12)) {
    if (in_window) record(&bad, took);
    bad_in_window += in_window;
  } else {
    others++;
  }
}

static void receive(long number) {
  static char buffer[1 << 18];
  struct connection *one = &all[number];
  for (int turn = 0; turn < 4 && one->file >= 0; turn++) {
    ssize_t length = read(one->file, buffer, sizeof buffer);
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) {
      broken++;
      return end(number);
    }
    double time = now();
    for (char *at = buffer, *stop = buffer + length; at < stop;) {
      char *nul = memchr(at, 0, stop - at);
      size_t part = (nul ? nul : stop) - at;
      for (size_t index = 0; index < part && one->seen + index < sizeof one->start; index++)
        one->start[one->seen + index] = at[index];
      one->seen += part;
      if (!nul) break;
      answered(one, time);
      one->seen = 0;
      at = nul + 1;
    }
    if (length < (ssize_t)sizeof buffer) return;
  }
}

static void load(void) {
  static struct epoll_event events[1024];
  const char greeting[] = "{\"method\":\"GET\",\"path\":\"/\",\"headers\":{\"Connection\":\"keep-alive\"}}";
  raise_files();
  queue = epoll_create1(EPOLL_CLOEXEC);
  all = calloc(count, sizeof *all);
  for (long number = 0; number < count; number++) {
    char answer[4096];
    int connection = open_from(number, 1);
    if (connection < 0) fail("connect");
    if (send(connection, greeting, sizeof greeting, MSG_NOSIGNAL) < 0 || read(connection, answer, sizeof answer) <= 0)
      fail("greeting");
    fcntl(connection, F_SETFL, fcntl(connection, F_GETFL) | O_NONBLOCK);
    struct connection *one = &all[number];
    one->file = connection;
    one->room = request_length * 64 > 256 << 10 ? request_length * 2 : 256 << 10;
    one->output = malloc(one->room);
    one->due = malloc(due_room * sizeof *one->due);
    watch(number, EPOLLIN);
  }
  double start = now();
  window_begin = start + seconds * 0.2;
  window_end = start + seconds;
  double taken = -1;
  long next = 0;
  for (double time = start; time < window_end; time = now()) {
    if (taken < 0 && time >= window_begin) taken = server_time();
    if (rate) {
      long due = rate * (time - start);
      for (; issued < due; issued++) {
        long tries = 0;
        while (tries < count && !put_request(&all[(next + tries) % count], time)) tries++;
        if (tries == count) {
          /* All clients wait for answers: what is due meanwhile nobody asks. */
          dropped += due - issued;
          issued = due;
          break;
        }
        next = (next + tries + 1) % count;
      }
    } else {
      for (long number = 0; number < count; number++)
        while ((long)(all[number].tail - all[number].head) < unanswered && put_request(&all[number], time)) issued++;
    }
    for (long number = 0; number < count; number++)
      if (all[number].length && !(all[number].events & EPOLLOUT)) flush(number);
    int ready = epoll_wait(queue, events, 1024, rate ? 1 : 100);
    for (int index = 0; index < ready; index++) {
      long number = events[index].data.u64;
      if (all[number].file >= 0 && events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(number);
      if (all[number].file >= 0 && events[index].events & EPOLLOUT) flush(number);
    }
  }
  double window = window_end - window_begin;
  taken = server_time() - taken;
  long waiting = 0;
  for (long number = 0; number < count; number++) waiting += all[number].tail - all[number].head;
  printf("{\"goodPerSecond\": %.1f, \"refusedPerSecond\": %.1f, \"issued\": %ld, \"dropped\": %ld, \"unanswered\": %ld, "
         "\"others\": %ld, \"broken\": %ld, \"cpuPerSecond\": %.6f", good_in_window / window, bad_in_window / window, issued,
         dropped, waiting, others, broken, taken / window);
  print_spread("good", &good);
  print_spread("refused", &bad);
  printf("}\n");
}

int main(int argument_count, char **arguments) {
  static const struct option options[] = {
      {"port", 1, 0, 'p'}, {"connections", 1, 0, 'n'}, {"count", 1, 0, 'n'}, {"request", 1, 0, 'q'}, {"seconds", 1, 0, 's'},
      {"rate", 1, 0, 'r'}, {"unanswered", 1, 0, 'u'}, {"keys", 1, 0, 'k'}, {"size", 1, 0, 'b'}, {"way", 1, 0, 'w'},
      {"greet", 0, 0, 'g'}, {"once", 0, 0, 'o'}, {"receive-buffer", 1, 0, 'v'}, {"server", 1, 0, 'e'}, {0, 0, 0, 0}};
  const char *text = NULL;
  if (argument_count < 2) {
    fprintf(stderr, "usage: hostile idle|drip|mute|flood|storm|rate --port P …\n");
    return 2;
  }
  for (int option; (option = getopt_long(argument_count - 1, arguments + 1, "", options, NULL)) != -1;) {
    switch (option) {
      case 'p': port = atol(optarg); break;
      case 'n': count = atol(optarg); break;
      case 'q': text = optarg; break;
      case 's': seconds = atof(optarg); break;
      case 'r': rate = atof(optarg); break;
      case 'u': unanswered = atol(optarg); break;
      case 'k': keys = atol(optarg); break;
      case 'b': size = atol(optarg); break;
      case 'w': way = optarg; break;
      case 'g': greets = 1; break;
      case 'o': once = 1; break;
      case 'v': receive_buffer = atol(optarg); break;
      case 'e': server = atol(optarg); break;
      default: return 2;
    }
  }
  signal(SIGPIPE, SIG_IGN);
  if (text) read_request(text);
  const char *mode = arguments[1];
  if (!strcmp(mode, "idle")) seconds = 0, idle();
  else if (!strcmp(mode, "drip")) drip();
  else if (!strcmp(mode, "mute")) mute(0);
  else if (!strcmp(mode, "flood")) mute(1);
  else if (!strcmp(mode, "storm")) storm();
  else if (!strcmp(mode, "rate")) load();
  else return 2;
  return 0;
}
