import ArgumentParser
import DocketServer
import DocketService
import DocketWire

/// What clients may take of the server.
struct ClientLimitOptions: ParsableArguments {
  @Option(help: "How many connections are served at once; a further one gets 503.")
  var maxConnections = ServerLimits().connections

  @Option(help: "The largest document in bytes; a request may have 64 KiB more. Beyond: 413.")
  var maxDocumentBytes = WireLimits().documentBytes

  @Option(help: "How many arrays and objects may be open at once in a document. Beyond: 422.")
  var maxDepth = WireLimits().depth

  @Option(help: "After how many silent seconds a connection is closed.")
  var idleTimeout = ServerLimits().idleSeconds

  @Option(help: "How many seconds a request may take from its first byte to its NUL. Beyond: 408.")
  var frameTimeout = ServerLimits().frameSeconds

  @Option(help: "How many requests of a connection may be unanswered before no more are read.")
  var maxPipelinedRequests = ServerLimits().pipelinedRequests

  @Option(help: "How many bytes those requests may have before no more are read.")
  var maxPipelinedBytes = ServerLimits().pipelinedBytes

  @Option(help: "How many bytes of answers may wait for a client before its requests wait.")
  var sendBufferBytes = ServerLimits().sendBufferBytes

  @Option(
    help:
      "How many bytes of answers may wait on all connections. Beyond: 503 for reads, and who has not taken what there is waits."
  )
  var answerTotalBytes = ServiceLimits().answerTotalBytes

  @Option(help: "How many bytes of what a client sends after its last answer are read and dropped.")
  var lingerBytes = ServerLimits().lingerBytes

  @Option(help: "For how many seconds they are.")
  var lingerTimeout = ServerLimits().lingerSeconds

  @Option(help: "How many seconds clients have to take their answers when the server ends.")
  var shutdownTimeout = ServerLimits().shutdownSeconds

  @Option(help: "A page of a collection ends early at so many bytes.")
  var pageBytes = ServiceLimits().pageBytes

  @Option(help: "GET /list answers 413 beyond so many bytes.")
  var listBytes = ServiceLimits().listBytes

  @Option(help: "How many requests a batch may have. Beyond: 413.")
  var maxBatchRequests = ServiceLimits().batchRequests

  @Option(help: "How many bytes the answers within a batch may have in all. Beyond: 413.")
  var maxBatchAnswerBytes = ServiceLimits().batchAnswerBytes

  @Flag(
    help:
      "Refuse queries that would look at more documents than --scan-warning-documents without an index: 400, in the place of a warning."
  )
  var refuseScans = false

  @Option(help: "How many documents a query may look at without an index before its answer warns of it.")
  var scanWarningDocuments = ServiceLimits().scanWarningDocuments

  @Option(help: "How many watches a connection may have. Beyond: 503.")
  var maxConnectionWatches = WatchLimits().perConnection

  @Option(help: "How many watches there may be in all. Beyond: 503.")
  var maxWatches = WatchLimits().inAll

  @Option(
    help: "How many bytes of watches' frames may wait on a connection before they go on from the history, at its pace.")
  var watchBacklogBytes = WatchLimits().backlogBytes

  @Option(help: "The same of all connections together.")
  var watchTotalBytes = WatchLimits().totalBacklogBytes

  @Option(help: "How many bytes the conditions of all watches may have. Beyond: 503.")
  var watchConditionBytes = WatchLimits().conditionBytes

  var watchLimits: WatchLimits {
    WatchLimits(
      perConnection: maxConnectionWatches, inAll: maxWatches, backlogBytes: watchBacklogBytes,
      totalBacklogBytes: watchTotalBytes, conditionBytes: watchConditionBytes)
  }

  var wireLimits: WireLimits {
    WireLimits(documentBytes: maxDocumentBytes, depth: maxDepth)
  }

  func serviceLimits(_ observation: ObservationOptions) -> ServiceLimits {
    ServiceLimits(
      pageBytes: pageBytes, listBytes: listBytes, batchRequests: maxBatchRequests,
      batchAnswerBytes: maxBatchAnswerBytes, answerTotalBytes: answerTotalBytes,
      refusesScans: refuseScans, scanWarningDocuments: scanWarningDocuments,
      roomBytes: observation.readyRoomBytes)
  }

  func serverLimits(
    connections: Int, _ access: AccessOptions, _ observation: ObservationOptions
  ) -> ServerLimits {
    ServerLimits(
      connections: connections, idleSeconds: idleTimeout, frameSeconds: frameTimeout,
      pipelinedRequests: maxPipelinedRequests, pipelinedBytes: maxPipelinedBytes, sendBufferBytes: sendBufferBytes,
      lingerBytes: lingerBytes, lingerSeconds: lingerTimeout, strangerFrameBytes: access.strangerFrameBytes,
      strangerFrameSeconds: access.strangerFrameTimeout, strangerIdleSeconds: access.strangerIdleTimeout,
      strangerSeconds: access.strangerTimeout, shutdownSeconds: shutdownTimeout,
      slowRequestMilliseconds: observation.slowRequestMilliseconds)
  }

  func validate() throws {
    try check("--max-connections", maxConnections, 1...1_000_000)
    // SQLite takes texts of up to 1,000,000,000 bytes (https://sqlite.org/limits.html).
    try check("--max-document-bytes", maxDocumentBytes, 1...(512 << 20))
    try check("--max-depth", maxDepth, 1...128)
    try check("--idle-timeout", idleTimeout, 0.25...86_400)
    try check("--frame-timeout", frameTimeout, 0.25...86_400)
    try check("--max-pipelined-requests", maxPipelinedRequests, 1...1_000_000)
    try check("--max-pipelined-bytes", maxPipelinedBytes, 1...(1 << 40))
    try check("--send-buffer-bytes", sendBufferBytes, 1...(1 << 40))
    try check("--answer-total-bytes", answerTotalBytes, 1...(1 << 40))
    try check("--linger-bytes", lingerBytes, 0...(1 << 40))
    try check("--linger-timeout", lingerTimeout, 0.25...3600)
    try check("--shutdown-timeout", shutdownTimeout, 0.25...4)
    try check("--page-bytes", pageBytes, 1...(1 << 30))
    try check("--list-bytes", listBytes, 1...(1 << 30))
    try check("--max-batch-requests", maxBatchRequests, 1...1_000_000)
    // With an idempotency key it is kept as a text, as a document is.
    try check("--max-batch-answer-bytes", maxBatchAnswerBytes, 1...(512 << 20))
    try check("--max-connection-watches", maxConnectionWatches, 1...1_000_000)
    try check("--max-watches", maxWatches, 1...10_000_000)
    try check("--watch-backlog-bytes", watchBacklogBytes, 1...(1 << 40))
    try check("--watch-total-bytes", watchTotalBytes, 1...(1 << 40))
    try check("--watch-condition-bytes", watchConditionBytes, 1...(1 << 40))
    try check("--scan-warning-documents", scanWarningDocuments, 1...1_000_000_000)
  }
}

/// Refuses a value outside its bounds, and names them.
func check<Value: Comparable>(_ option: String, _ value: Value, _ bounds: ClosedRange<Value>) throws {
  guard bounds.contains(value) else {
    throw ValidationError("\(option) must be from \(bounds.lowerBound) to \(bounds.upperBound), not \(value)")
  }
}
