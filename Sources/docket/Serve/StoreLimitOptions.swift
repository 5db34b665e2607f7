import ArgumentParser
import DocketSQLite

/// What the store may take of the machine.
struct StoreLimitOptions: ParsableArguments {
  @Option(
    help: "How many bytes of writes may wait to be committed, the largest document's at least; a further one gets 503.")
  var writeQueueBytes = SQLiteStoreOptions().writeQueueBytes

  @Option(help: "How many seconds reading a collection may take. Beyond: 503.")
  var scanTimeout = Double(SQLiteStoreOptions().scanDeadlineMilliseconds) / 1000

  @Option(help: "How many seconds a query may take. Beyond: 503.")
  var queryTimeout = Double(SQLiteStoreOptions().queryDeadlineMilliseconds) / 1000

  @Option(help: "How many queries run at once; others wait.")
  var queryThreads = SQLiteStoreOptions().queryThreads

  @Option(help: "How many such readings, and how many queries, may wait; a further one gets 503.")
  var scanQueueLength = SQLiteStoreOptions().scanQueueLength

  @Option(
    help:
      "How many seconds a batch may take, or PUT and DELETE of /item, while all other writes wait. Beyond: 503, nothing is changed."
  )
  var batchTimeout = Double(SQLiteStoreOptions().batchDeadlineMilliseconds) / 1000

  @Option(help: "How many hours an answer is kept under its Idempotency-Key.")
  var idempotencyHours = SQLiteStoreOptions().keptAnswerHours

  @Option(help: "How many bytes of such answers are kept, 256 added for each; the oldest go first.")
  var idempotencyBytes = SQLiteStoreOptions().keptAnswerBytes

  @Option(help: "The memory in which the threads that serve keep pages of the file, together, in bytes.")
  var readCacheBytes = SQLiteStoreOptions().sessionCacheBytes

  @Option(help: "The memory in which the threads that query keep pages, together, in bytes.")
  var queryCacheBytes = SQLiteStoreOptions().queryCacheBytes

  @Option(help: "The memory in which the writer, and each of the two threads that scan, keeps pages, in bytes.")
  var cacheBytes = SQLiteStoreOptions().cacheBytes

  @Option(help: "How many bytes of documents each thread that serves, and the one that writes, keeps at hand; 0: none.")
  var documentCacheBytes = SQLiteStoreOptions().documentCacheBytes

  @Option(
    help: "The memory for the rows of documents that are not at hand, in bytes, 8 for each; 0: none are known.")
  var rowKeyBytes = SQLiteStoreOptions().rowKeyBytes

  @Option(help: "The log is written back into the database file when it holds so many pages.")
  var checkpointPages = SQLiteStoreOptions().checkpointPages

  /// - Parameter threads: how many serve.
  func options(_ database: StoreOptions, _ clients: ClientLimitOptions, threads: Int) -> SQLiteStoreOptions {
    var options = SQLiteStoreOptions()
    options.durability = database.durability
    options.busyTimeoutMilliseconds = Int64(database.busyTimeout * 1000)
    options.historyDays = database.historyDays
    options.historySharePercent = database.historyShare
    options.historyFloorBytes = database.historyFloorBytes
    options.documentBytes = clients.maxDocumentBytes
    options.documentDepth = clients.maxDepth
    // The queue holds the largest document, whatever was asked for.
    options.writeQueueBytes = max(writeQueueBytes, clients.maxDocumentBytes + 1024)
    options.scanDeadlineMilliseconds = Int64(scanTimeout * 1000)
    options.queryDeadlineMilliseconds = Int64(queryTimeout * 1000)
    options.queryThreads = queryThreads
    options.scanQueueLength = scanQueueLength
    options.batchDeadlineMilliseconds = Int64(batchTimeout * 1000)
    options.keptAnswerHours = idempotencyHours
    options.keptAnswerBytes = idempotencyBytes
    options.cacheBytes = cacheBytes
    options.sessionCacheBytes = max(readCacheBytes / threads, 4096)
    options.queryCacheBytes = queryCacheBytes
    options.documentCacheBytes = documentCacheBytes
    options.rowKeyBytes = rowKeyBytes
    options.checkpointPages = checkpointPages
    return options
  }

  func validate() throws {
    try check("--write-queue-bytes", writeQueueBytes, 1...(1 << 40))
    try check("--scan-timeout", scanTimeout, 0.001...3600)
    try check("--query-timeout", queryTimeout, 0.001...3600)
    try check("--query-threads", queryThreads, 1...64)
    try check("--scan-queue-length", scanQueueLength, 1...1_000_000)
    try check("--batch-timeout", batchTimeout, 0.001...3600)
    try check("--idempotency-hours", idempotencyHours, 1...87_600)
    try check("--idempotency-bytes", idempotencyBytes, 1...(1 << 40))
    try check("--read-cache-bytes", readCacheBytes, 4096...(1 << 40))
    try check("--query-cache-bytes", queryCacheBytes, 4096...(1 << 40))
    try check("--cache-bytes", cacheBytes, 4096...(1 << 40))
    try check("--document-cache-bytes", documentCacheBytes, 0...(1 << 40))
    try check("--row-key-bytes", rowKeyBytes, 0...(1 << 40))
    try check("--checkpoint-pages", checkpointPages, 1...1_000_000_000)
  }
}
