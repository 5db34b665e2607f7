import DocketJSON
import DocketMetrics
import DocketStore
import NIOCore

/// A server's account of itself at one moment: what `/_stats` and `/metrics` tell.
public struct ServerFigures: Sendable {
  let store: StoreStatus
  let watches: Int
  let answers: AnswerRoom
  let meters: ServerMeters

  // MARK: Prometheus

  /// Everything, in the form that Prometheus scrapes.
  public var exposition: String { Exposition.text(of: families) }

  private var families: [MetricFamily] {
    var info = MetricFamily(.gauge, "docket_info", help: "Always 1; its labels say what runs here.")
    info.add(1, ("version", meters.version), ("engine", store.engine))
    var build = MetricFamily(
      .gauge, "docket_making_index", help: "1 while a change of settings makes an index, and writes wait.")
    build.add(store.build == nil ? 0 : 1)
    let own: [MetricFamily] = [
      info,
      MetricFamily(
        .counter, "docket_changes_total", help: "Changes of documents in this database, since it was made.",
        store.revision.rawValue),
      MetricFamily(
        .gauge, "docket_history_changes", help: "How many of them can still be read.",
        store.revision.rawValue - store.oldestRevision.rawValue),
      MetricFamily(.gauge, "docket_database_bytes", help: "Size of the database file.", store.databaseBytes),
      MetricFamily(.gauge, "docket_log_bytes", help: "Size of the write-ahead log.", store.logBytes),
      MetricFamily(
        .gauge, "docket_free_bytes", help: "Room that is left in the file system of the database.", store.freeBytes),
      MetricFamily(
        .gauge, "docket_write_queue_bytes", help: "Writes that wait for their answers, in bytes.",
        store.writeQueueBytes),
      MetricFamily(
        .gauge, "docket_write_queue_limit_bytes", help: "How many may wait; beyond, writes are refused.",
        store.writeQueueLimitBytes),
      MetricFamily(
        .gauge, "docket_waiting_answer_bytes",
        help: "Answers that are made, or being made, and not taken yet, in bytes.",
        answers.waitingBytes),
      MetricFamily(
        .gauge, "docket_waiting_answer_limit_bytes",
        help: "How many there may be; beyond, what answers much is refused.",
        answers.limitBytes),
      build,
      MetricFamily(.gauge, "docket_watches", help: "Watches that are open.", watches),
    ]
    return own + meters.requests.families + meters.registry.families + (ProcessFigures.read()?.families ?? [])
  }

  // MARK: JSON

  /// The data of `GET /_stats`.
  var json: ByteBuffer {
    var text = ByteBuffer(staticString: "{\"history\": ")
    text.writeJSONString(store.historyID)
    text.writeStaticString(", \"revision\": ")
    text.writeDecimal(store.revision.rawValue)
    text.writeStaticString(", \"oldestRevision\": ")
    text.writeDecimal(store.oldestRevision.rawValue)
    text.writeStaticString(", \"fileBytes\": ")
    text.writeDecimal(store.fileBytes)
    text.writeStaticString(", \"engine\": ")
    text.writeJSONString(store.engine)
    text.writeStaticString(", \"watches\": ")
    text.writeDecimal(watches)
    if let build = store.build {
      text.writeStaticString(", \"making\": {\"name\": ")
      text.writeJSONString(build.name)
      text.writeStaticString(", \"percent\": ")
      text.writeDecimal(build.percent)
      text.writeStaticString("}")
    }
    text.writeStaticString(", \"version\": ")
    text.writeJSONString(meters.version)
    text.writeString(", \"uptimeSeconds\": \(Int(meters.uptimeSeconds))")
    text.writeString(
      ", \"databaseBytes\": \(store.databaseBytes), \"logBytes\": \(store.logBytes), \"freeBytes\": \(store.freeBytes)")
    text.writeString(
      ", \"connections\": {\"native\": \(meters.openConnections(protocol: "native")), \"http\": \(meters.openConnections(protocol: "http"))}"
    )
    text.writeString(", \"documentCacheBytes\": \(meters.documentCacheBytes)")
    text.writeString(
      ", \"writeQueue\": {\"bytes\": \(store.writeQueueBytes), \"limitBytes\": \(store.writeQueueLimitBytes)}")
    text.writeString(
      ", \"waitingAnswers\": {\"bytes\": \(answers.waitingBytes), \"limitBytes\": \(answers.limitBytes)}")
    text.writeString(", \"writeGroups\": \(Self.json(meters.registry.distribution(of: StoreMetric.writeGroup)))")
    text.writeString(
      ", \"logSyncs\": \(Self.json(milliseconds: meters.registry.distribution(of: StoreMetric.logSync)))")
    text.writeString(
      ", \"requests\": {\(meters.requests.accounts.filter { $0.durations.count > 0 }.map(Self.json).joined(separator: ", "))}"
    )
    if let process = ProcessFigures.read() {
      text.writeString(
        ", \"process\": {\"cpuMilliseconds\": \(Int(process.cpuSeconds * 1000)), \"residentBytes\": \(process.residentBytes), \"openFiles\": \(process.openDescriptors)}"
      )
    }
    text.writeStaticString("}")
    return text
  }

  private static func json(_ account: RequestMeter.Account) -> String {
    let durations = account.durations
    return "\"\(account.kind)\": {\"count\": \(durations.count), \"refused\": \(account.count(.refused)), "
      + "\"failed\": \(account.count(.failed)), \(percentiles(milliseconds: durations))}"
  }

  private static func json(_ distribution: Distribution?) -> String {
    guard let distribution else { return "{\"count\": 0}" }
    return "{\"count\": \(distribution.count)\(mean(distribution))}"
  }

  private static func mean(_ distribution: Distribution) -> String {
    guard distribution.count > 0 else { return "" }
    return ", \"mean\": \(rounded(distribution.sum / Double(distribution.count)))"
  }

  private static func json(milliseconds distribution: Distribution?) -> String {
    guard let distribution, distribution.count > 0 else { return "{\"count\": 0}" }
    return "{\"count\": \(distribution.count), \(percentiles(milliseconds: distribution))}"
  }

  private static func percentiles(milliseconds distribution: Distribution) -> String {
    "\"p50Milliseconds\": \(rounded(1000 * (distribution.quantile(0.5) ?? 0))), "
      + "\"p99Milliseconds\": \(rounded(1000 * (distribution.quantile(0.99) ?? 0)))"
  }

  /// To a thousandth.
  private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
}
