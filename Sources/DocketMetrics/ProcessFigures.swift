import Glibc

/// What the kernel knows of this process, under the names that Prometheus' client libraries agree upon
/// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics). On Linux, from proc(5).
public struct ProcessFigures: Sendable, Equatable {
  public var cpuSeconds: Double
  public var residentBytes: Int64
  public var virtualBytes: Int64
  public var openDescriptors: Int
  public var maximumDescriptors: Int64
  /// In seconds since 1970.
  public var startSeconds: Double

  /// nil where the kernel does not tell.
  public static func read() -> ProcessFigures? {
    // The name, in parentheses, may hold anything; what is wanted stands behind it.
    guard let stat = text(of: "/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return nil }
    // The first of these is the third field of proc(5).
    let fields = stat[stat.index(after: end)...].split(separator: " ").map { Double($0) ?? 0 }
    guard fields.count > 21 else { return nil }
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    // The start is counted from the boot. A service may not be shown when that was (ProcSubset=pid in systemd.exec(5)).
    let bootSeconds = seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME)
    return ProcessFigures(
      cpuSeconds: (fields[11] + fields[12]) / ticks,
      residentBytes: Int64(fields[21]) * Int64(sysconf(Int32(_SC_PAGESIZE))),
      virtualBytes: Int64(fields[20]), openDescriptors: entries(of: "/proc/self/fd"),
      maximumDescriptors: Int64(clamping: limit.rlim_cur), startSeconds: bootSeconds + fields[19] / ticks)
  }

  public var families: [MetricFamily] {
    var cpu = MetricFamily(.counter, "process_cpu_seconds_total", help: "CPU time, user and system, in seconds.")
    cpu.add(cpuSeconds)
    var start = MetricFamily(
      .gauge, "process_start_time_seconds", help: "When the process began, in seconds since 1970.")
    start.add(startSeconds)
    return [
      cpu, start,
      MetricFamily(.gauge, "process_resident_memory_bytes", help: "Memory that is resident, in bytes.", residentBytes),
      MetricFamily(.gauge, "process_virtual_memory_bytes", help: "Address space, in bytes.", virtualBytes),
      MetricFamily(.gauge, "process_open_fds", help: "Open file descriptors.", openDescriptors),
      MetricFamily(.gauge, "process_max_fds", help: "How many there may be.", maximumDescriptors),
    ]
  }

  private static func text(of path: String) -> String? {
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    var text: [UInt8] = []
    while case let count = fread(&bytes, 1, bytes.count, file), count > 0 { text += bytes[..<count] }
    return String(decoding: text, as: UTF8.self)
  }

  private static func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func entries(of path: String) -> Int {
    guard let folder = opendir(path) else { return 0 }
    defer { closedir(folder) }
    // `.`, `..` and the descriptor by which this is read do not count.
    var count = -3
    while readdir(folder) != nil { count += 1 }
    return count
  }
}
