/// What `docket stats` prints.
struct StatsPage {
  let stats: ServerStats
  /// What was told before, and how many seconds ago: then there are rates.
  var earlier: (stats: ServerStats, seconds: Double)?

  /// For people.
  var lines: [String] { head + [""] + table }

  /// One line, for a pipe that takes one each second.
  func line(at time: String) -> String {
    let highest = stats.requests.map(\.highest).max() ?? 0
    return
      "\(time) requests/s \(rate(stats.requestCount, earlier?.stats.requestCount)) changes/s \(rate(stats.whole("revision"), earlier?.stats.whole("revision")))"
      + " connections \(connections) watches \(text(stats.whole("watches"))) log \(bytes(stats.number("logBytes")))"
      + " p99 \(decimal(highest)) ms"
  }

  private var head: [String] {
    var lines = [
      "docket \(stats.text("version") ?? "?"), \(stats.text("engine") ?? "?"), up \(duration(stats.whole("uptimeSeconds")))",
      "database \(bytes(stats.number("databaseBytes"))), log \(bytes(stats.number("logBytes"))), room \(bytes(stats.number("freeBytes")))",
      "changes \(text(stats.whole("revision")))\(perSecond(stats.whole("revision"), earlier?.stats.whole("revision"))), readable from \(text(stats.whole("oldestRevision"))) on",
      "connections \(connections) (native \(text(stats.whole("connections", "native"))), http \(text(stats.whole("connections", "http")))), watches \(text(stats.whole("watches")))",
      "write queue \(bytes(stats.number("writeQueue", "bytes"))) of \(bytes(stats.number("writeQueue", "limitBytes"))), groups \(text(stats.whole("writeGroups", "count"))) of \(decimal(stats.number("writeGroups", "mean") ?? 0)) writes",
      "answers not taken \(bytes(stats.number("waitingAnswers", "bytes"))) of \(bytes(stats.number("waitingAnswers", "limitBytes")))",
      "log synced \(text(stats.whole("logSyncs", "count"))) times, p50 \(decimal(stats.number("logSyncs", "p50Milliseconds") ?? 0)) ms, p99 \(decimal(stats.number("logSyncs", "p99Milliseconds") ?? 0)) ms",
    ]
    if let memory = stats.number("process", "residentBytes") {
      lines.append(
        "process: memory \(bytes(memory)), documents at hand \(bytes(stats.number("documentCacheBytes"))), CPU \(decimal((stats.number("process", "cpuMilliseconds") ?? 0) / 1000)) s\(load), files \(text(stats.whole("process", "openFiles")))"
      )
    }
    return lines
  }

  private var table: [String] {
    let names = ["requests", "count", "refused", "failed", "p50 ms", "p99 ms"] + (earlier == nil ? [] : ["a second"])
    let before = Dictionary((earlier?.stats.requests ?? []).map { ($0.kind, $0.count) }) { $1 }
    let rows = stats.requests.map { row in
      [row.kind, "\(row.count)", "\(row.refused)", "\(row.failed)", decimal(row.median), decimal(row.highest)]
        + (earlier == nil ? [] : [rate(row.count, before[row.kind] ?? 0)])
    }
    return ([names] + rows).map { row in
      row.enumerated().map { $0.offset == 0 ? pad($0.element, 10, left: false) : pad($0.element, 12, left: true) }
        .joined()
    }
  }

  private var connections: String {
    text(
      stats.whole("connections", "native").flatMap { native in stats.whole("connections", "http").map { native + $0 } })
  }

  /// How much of a core it takes.
  private var load: String {
    guard let earlier, let now = stats.number("process", "cpuMilliseconds"),
      let before = earlier.stats.number("process", "cpuMilliseconds"), earlier.seconds > 0
    else { return "" }
    return " (\(Int((now - before) / earlier.seconds / 10)) %)"
  }

  private func perSecond(_ now: Int?, _ before: Int?) -> String {
    earlier == nil ? "" : " (\(rate(now, before)) a second)"
  }

  /// A server that began anew counts from 0 again.
  private func rate(_ now: Int?, _ before: Int?) -> String {
    guard let now, let before, let earlier, earlier.seconds > 0 else { return "-" }
    return "\(Int((Double(max(0, now - before)) / earlier.seconds).rounded()))"
  }

  private func text(_ number: Int?) -> String { number.map(String.init) ?? "?" }

  private func decimal(_ value: Double) -> String {
    let tenths = Int((value * (value < 10 ? 100 : 10)).rounded())
    let (whole, part, digits) = value < 10 ? (tenths / 100, tenths % 100, 2) : (tenths / 10, tenths % 10, 1)
    let fraction = String(part)
    return "\(whole).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }

  private func bytes(_ count: Double?) -> String {
    guard var count else { return "?" }
    for unit in ["B", "KiB", "MiB", "GiB"] {
      if count < 1024 { return unit == "B" ? "\(Int(count)) B" : "\(decimal(count)) \(unit)" }
      count /= 1024
    }
    return "\(decimal(count)) TiB"
  }

  private func duration(_ seconds: Int?) -> String {
    guard let seconds else { return "?" }
    switch seconds {
    case ..<60: return "\(seconds) s"
    case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
    case ..<86_400: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
    default: return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
    }
  }

  private func pad(_ text: String, _ width: Int, left: Bool) -> String {
    let room = String(repeating: " ", count: max(1, width - text.count))
    return left ? room + text : text + room
  }
}
