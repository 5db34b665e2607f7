/* A client of watches that is as lean as can be, since it shares the cores with the server: one thread, one epoll, and of
 * what comes it only counts the NULs. Every mode prints one line of JSON, times in microseconds.
 *
 *   cc -O2 -o watch_load watch_load.c
 *   ./watch_load fan --port 12000 --watchers 10000 --seconds 5 --unanswered 4 --behind 8
 *
 * fan: so many connections watch one collection and one more writes to it. No more than --unanswered of its writes are
 * without an answer, and, unless it is 0, no more than --behind have not reached all watchers; with --rate there are so
 * many a second at most. It ends when every watcher has seen every write; "left" is how many some had not when time was up.
 * hold: opens the watchers, prints how many there are, and keeps them until its standard input ends.
 * wake: one watcher; the next write is sent when the one before has come back both ways, and a millisecond has passed.
 * replay: one watch of everything since 0, until it is live.
 * pages: the same by GET /_changes, 1,000 at a time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static long port = 12000, watchers = 1, unanswered = 1, behind = 0, size = 100, keys = 1000;
static double seconds = 1, rate = 0;
static const char *collection = "/bench/";

static void fail(const char *what) {
  fprintf(stderr, "watch_load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

/* Times, in steps of a thirty-second part. */
enum { steps = 32, ranges = 40 };
struct spread {
  uint64_t counts[ranges * steps], count;
};

static void record(struct spread *spread, int64_t nanoseconds) {
  uint64_t value = nanoseconds < steps ? steps : nanoseconds;
  int shift = 63 - __builtin_clzll(value) - 5;
  spread->counts[shift * steps + (value >> shift) - steps]++;
  spread->count++;
}

static double microseconds(const struct spread *spread, double share) {
  uint64_t wanted = share * spread->count, seen = 0;
  for (int index = 0; index < ranges * steps; index++) {
    seen += spread->counts[index];
    if (seen > wanted) return (double)((uint64_t)(index % steps + steps) << (index / steps)) / 1e3;
  }
  return 0;
}

static void print_spread(const char *name, const struct spread *spread) {
  printf(", \"%s\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"max\": %.1f}", name, microseconds(spread, 0.5),
         microseconds(spread, 0.9), microseconds(spread, 0.99), microseconds(spread, 0.999999999));
}

/* ---- connections ---- */

/* A port is one of some 28,000 for each address. */
static int connect_from(long number) {
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + number / 5000)};
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int yes = 1, connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) fail("socket");
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(connection, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  if (bind(connection, (struct sockaddr *)&from, sizeof from)) fail("bind");
  if (connect(connection, (struct sockaddr *)&to, sizeof to)) fail("connect");
  return connection;
}

static void send_all(int connection, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(connection, bytes, count, MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    bytes += sent;
    count -= sent;
  }
}

static char input[1 << 20];

/* A frame that tells how far a watch is, is shorter than any that tells of a change. */
static const size_t longest_marker = 180;

/* How many frames have ended in what there is of a connection; with flags 0 it waits for something. */
static long receive_frames(int connection, int flags) {
  ssize_t count = recv(connection, input, sizeof input, flags);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (count < 0) fail("recv");
  errno = 0;
  if (count == 0) fail("the server closed a connection");
  long frames = 0;
  const char *at = input, *end = input + count;
  while ((at = memchr(at, 0, end - at))) {
    frames++;
    at++;
  }
  return frames;
}

/* The first frame on a connection. Its answer is frames. */
static int watch(long number, const char *path) {
  char request[512];
  int length = snprintf(
      request, sizeof request,
      "{\"method\":\"GET\",\"path\":\"%s\",\"id\":1,\"headers\":{\"Connection\":\"keep-alive\"}}", path);
  int connection = connect_from(number);
  send_all(connection, request, length + 1);
  return connection;
}

static int *connections;

/* Returns when all watch. */
static void open_watchers(void) {
  char path[256];
  snprintf(path, sizeof path, "%s?watch=true", collection);
  connections = calloc(watchers, sizeof *connections);
  for (long number = 0; number < watchers; number++) connections[number] = watch(number, path);
  for (long number = 0; number < watchers; number++) {
    while (receive_frames(connections[number], 0) == 0) continue;
    if (memmem(input, longest_marker, "\"live\"", 6) == NULL) fail(input);
  }
}

/* ---- the writer ---- */

static int writer;
static char write_request[1 << 21];
static int write_length, key_offset;

static void open_writer(void) {
  static const char greeting[] = "{\"method\":\"GET\",\"path\":\"/\",\"headers\":{\"Connection\":\"keep-alive\"}}";
  writer = connect_from(watchers);
  send_all(writer, greeting, sizeof greeting);
  while (receive_frames(writer, 0) == 0) continue;
  key_offset = snprintf(write_request, sizeof write_request, "{\"method\":\"PUT\",\"path\":\"%s", collection);
  int fill = size > 34 ? size - 34 : 0;
  write_length = key_offset + snprintf(
      write_request + key_offset, sizeof write_request - key_offset,
      "%010d\",\"data\":{\"title\":\"hello\",\"n\":42,\"text\":\"%0*d\"}}", 0, fill, 0) + 1;
}

static void send_write(long number) {
  char key[16];
  snprintf(key, sizeof key, "%010ld", number % keys);
  memcpy(write_request + key_offset, key, 10);
  send_all(writer, write_request, write_length);
}

/* ---- fan ---- */

/* Writes that have not reached all watchers may be so many. */
enum { window = 1 << 20 };
static int64_t sent_at[window];
static int32_t missing[window];
static long sent, answered, everywhere;
static int64_t *seen;
static struct spread event_times, answer_times, last_times;

static void see(long watcher) {
  long frames = receive_frames(connections[watcher], MSG_DONTWAIT);
  if (frames == 0) return;
  int64_t time = now();
  for (; frames > 0; frames--) {
    long number = seen[watcher]++ % window;
    record(&event_times, time - sent_at[number]);
    missing[number]--;
  }
  while (everywhere < sent && missing[everywhere % window] == 0) record(&last_times, time - sent_at[everywhere++ % window]);
}

static void see_answers(void) {
  long frames = receive_frames(writer, MSG_DONTWAIT);
  int64_t time = now();
  for (; frames > 0; frames--) record(&answer_times, time - sent_at[answered++ % window]);
}

/* Sends the writes that are due. Returns after how many milliseconds the next one is. */
static int write_on(int64_t begin, int64_t end) {
  while (sent - answered < unanswered && sent - everywhere < (behind ? behind : window)) {
    int64_t time = now();
    if (time >= end) return -1;
    int64_t due = rate > 0 ? begin + (int64_t)(sent / rate * 1e9) : time;
    if (due > time) return (due - time) / 1000000;
    missing[sent % window] = watchers;
    /* At a rate it counts from when it was due. */
    sent_at[sent % window] = due;
    send_write(sent++);
  }
  return -1;
}

static void fan(void) {
  open_watchers();
  open_writer();
  seen = calloc(watchers, sizeof *seen);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  for (long number = 0; number <= watchers; number++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = number};
    epoll_ctl(epoll, EPOLL_CTL_ADD, number < watchers ? connections[number] : writer, &event);
  }
  static struct epoll_event ready[1024];
  int64_t begin = now(), end = begin + (int64_t)(seconds * 1e9), last = begin;
  long left = -1;
  for (;;) {
    int pause = write_on(begin, end);
    if (now() >= end) {
      if (left < 0) left = sent - everywhere;
      if (answered == sent && everywhere == sent) break;
      pause = 30000;
    } else if (pause < 0) {
      pause = (end - now()) / 1000000 + 1;
    }
    int count = epoll_wait(epoll, ready, sizeof ready / sizeof *ready, pause);
    if (count == 0 && now() >= end + INT64_C(30000000000)) {
      errno = 0;
      fail("some watchers were not told all");
    }
    for (int index = 0; index < count; index++) {
      if (ready[index].data.u64 == (uint64_t)watchers) see_answers(); else see(ready[index].data.u64);
    }
    if (count > 0) last = now();
  }
  double elapsed = (last - begin) / 1e9;
  printf("{\"watchers\": %ld, \"writes\": %ld, \"events\": %lu, \"seconds\": %.3f, \"eventsPerSecond\": %.0f, "
         "\"left\": %ld",
         watchers, sent, event_times.count, elapsed, event_times.count / elapsed, left);
  print_spread("event", &event_times);
  print_spread("lastWatcher", &last_times);
  print_spread("answer", &answer_times);
  printf("}\n");
}

/* ---- wake ---- */

static int order(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

static void wake(void) {
  enum { most = 1 << 20 };
  static struct spread events, answers;
  static double differences[most];
  watchers = 1;
  open_watchers();
  open_writer();
  struct pollfd both[2] = {{.fd = connections[0], .events = POLLIN}, {.fd = writer, .events = POLLIN}};
  int64_t end = now() + (int64_t)(seconds * 1e9);
  long count = 0;
  while (now() < end && count < most) {
    int64_t begin = now(), times[2] = {0, 0};
    send_write(count);
    while (!times[0] || !times[1]) {
      if (poll(both, 2, 10000) <= 0) fail("a write did not come back");
      for (int index = 0; index < 2; index++)
        if (both[index].revents && receive_frames(both[index].fd, MSG_DONTWAIT) > 0) times[index] = now();
    }
    record(&events, times[0] - begin);
    record(&answers, times[1] - begin);
    differences[count++] = (times[0] - times[1]) / 1e3;
    usleep(1000);
  }
  qsort(differences, count, sizeof *differences, order);
  printf("{\"writes\": %ld, \"behindAnswer\": {\"p50\": %.1f, \"p99\": %.1f}", count, differences[count / 2],
         differences[count * 99 / 100]);
  print_spread("event", &events);
  print_spread("answer", &answers);
  printf("}\n");
}

/* ---- history ---- */

static void replay(void) {
  int64_t begin = now();
  int connection = watch(0, "/_changes?watch=true&since=0");
  long events = 0;
  size_t kept = 0;
  for (;;) {
    ssize_t count = recv(connection, input + kept, sizeof input - kept, 0);
    if (count <= 0) fail("the watch ended");
    char *at = input, *end = input + kept + count, *nul;
    while ((nul = memchr(at, 0, end - at))) {
      if ((size_t)(nul - at) < longest_marker && strstr(at, "\"live\"")) {
        double elapsed = (now() - begin) / 1e9;
        printf("{\"events\": %ld, \"seconds\": %.3f, \"eventsPerSecond\": %.0f}\n", events, elapsed, events / elapsed);
        return;
      }
      events++;
      at = nul + 1;
    }
    kept = end - at;
    if (kept == sizeof input) fail("a frame is too large");
    memmove(input, at, kept);
  }
}

static void pages(void) {
  static char page[16 << 20];
  long events = 0, since = 0;
  struct spread *times = calloc(1, sizeof *times);
  int64_t begin = now();
  int connection = connect_from(0);
  for (int is_first = 1;; is_first = 0) {
    int length = snprintf(page, sizeof page, "{\"method\":\"GET\",\"path\":\"/_changes?since=%ld&limit=1000\"%s}", since,
                          is_first ? ",\"headers\":{\"Connection\":\"keep-alive\"}" : "");
    int64_t asked = now();
    send_all(connection, page, length + 1);
    size_t got = 0;
    do {
      ssize_t count = recv(connection, page + got, sizeof page - got, 0);
      if (count <= 0) fail("the server closed a connection");
      got += count;
    } while (page[got - 1] != 0);
    record(times, now() - asked);
    for (char *at = page; (at = strstr(at, "{\"sequence\": ")); at++) events++;
    char *next = got > 200 ? memmem(page + got - 200, 200, "\"next\": ", 8) : NULL;
    if (!next) fail(page);
    if (strncmp(next + 8, "null", 4) == 0) break;
    since = atol(next + 8);
  }
  double elapsed = (now() - begin) / 1e9;
  printf("{\"events\": %ld, \"seconds\": %.3f, \"eventsPerSecond\": %.0f", events, elapsed, events / elapsed);
  print_spread("page", times);
  printf("}\n");
}

static void hold(void) {
  char end;
  open_watchers();
  printf("{\"watchers\": %ld}\n", watchers);
  fflush(stdout);
  while (read(STDIN_FILENO, &end, 1) > 0) continue;
}

static void raise_limit(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  rlim_t wanted = watchers + 100;
  if (limit.rlim_cur >= wanted) return;
  limit.rlim_cur = wanted;
  if (limit.rlim_max < wanted) limit.rlim_max = wanted;
  if (setrlimit(RLIMIT_NOFILE, &limit)) fail("so many connections cannot be opened");
}

int main(int count, char **arguments) {
  static const struct option names[] = {
      {"port", required_argument, 0, 'p'},       {"watchers", required_argument, 0, 'w'},
      {"unanswered", required_argument, 0, 'u'}, {"behind", required_argument, 0, 'b'},
      {"size", required_argument, 0, 'z'},       {"seconds", required_argument, 0, 's'},
      {"rate", required_argument, 0, 'r'},       {"collection", required_argument, 0, 'c'}, {0}};
  int option;
  while ((option = getopt_long(count, arguments, "", names, NULL)) != -1) {
    switch (option) {
    case 'p': port = atol(optarg); break;
    case 'w': watchers = atol(optarg); break;
    case 'u': unanswered = atol(optarg); break;
    case 'b': behind = atol(optarg); break;
    case 'z': size = atol(optarg); break;
    case 's': seconds = atof(optarg); break;
    case 'r': rate = atof(optarg); break;
    case 'c': collection = optarg; break;
    default: return 2;
    }
  }
  static const struct {
    const char *name;
    void (*run)(void);
  } modes[] = {{"fan", fan}, {"hold", hold}, {"wake", wake}, {"replay", replay}, {"pages", pages}};
  raise_limit();
  for (size_t index = 0; optind == count - 1 && index < sizeof modes / sizeof *modes; index++) {
    if (strcmp(arguments[optind], modes[index].name)) continue;
    modes[index].run();
    return 0;
  }
  fprintf(stderr, "usage: watch_load fan|hold|wake|replay|pages [--port N] [--watchers N] …\n");
  return 2;
}
