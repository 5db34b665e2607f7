import CoreMetrics
import Logging

extension SQLiteRepository {
  /// Opens the documents in a file, which is made if there is none, and keeps other servers away from it until the
  /// repository is closed and gone. It blocks for as long as that takes.
  /// - Parameter metrics: what is counted of it goes there (`StoreMetric`).
  public static func open(
    path: String, options: SQLiteStoreOptions = SQLiteStoreOptions(), logger: Logger, clock: WallClock = .system,
    metrics: any MetricsFactory = NOOPMetricsHandler.instance
  ) throws(OpeningError) -> SQLiteRepository {
    let file = try DatabaseFile.open(path, busyTimeoutMilliseconds: Int32(clamping: options.busyTimeoutMilliseconds))
    for object in file.foreignObjects {
      logger.warning("the database holds something that Docket did not make", metadata: ["object": "\(object)"])
    }
    for object in file.missingObjects {
      logger.warning(
        "what the settings of a collection need could not be made; queries do without it, and what is unique is looked after in writes through Docket alone",
        metadata: ["object": "\(object)"])
    }
    do {
      return try OpeningError.translating(path: file.path) {
        try SQLiteRepository(file, options: options, clock: clock, logger: logger, metrics: metrics)
      }
    } catch .failed(let path, let reason) where !file.foreignObjects.isEmpty {
      // A trigger whose table is gone keeps every statement about its own table from being made ready.
      throw .failed(
        path: path,
        reason: """
          \(reason); something in it that Docket did not make may be why, and can be dropped with docket sql: \
          \(file.foreignObjects.joined(separator: ", "))
          """)
    }
  }
}
