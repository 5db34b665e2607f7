import DocketServer
import DocketService
import DocketStore
import DocketWire
import HTTPTypes
import HummingbirdCore
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Answers the requests of one connection.
final class HTTPConnection: Sendable {
  private let site: HTTPSite
  private let desk: HTTPDesk
  private let channel: any Channel
  private let address: VisitorAddress
  private let progress: RequestProgress
  /// How many requests have been taken up.
  private let requests = Atomic(0)
  /// Ends the query that runs, which is one at most: a connection's requests are answered one after the other.
  private let query = NIOLockedValueBox<QueryCancellation?>(nil)
  /// Which turn of the loop it was when a request was taken up, and how many were in that turn.
  private let taken = NIOLockedValueBox<(turn: Int?, count: Int)>((nil, 0))
  /// A connection takes up no more of what has come in one turn: behind them the loop looks at its sockets and timers.
  private static let requestsOfTurn = 16
  /// The last stream of events: a client that has gone is not waited for until there is something to tell it.
  private let stream = NIOLockedValueBox<EventStreams.ID?>(nil)

  init(
    _ site: HTTPSite, _ desk: HTTPDesk, _ channel: any Channel, _ progress: RequestProgress
  ) {
    self.site = site
    self.desk = desk
    self.channel = channel
    self.progress = progress
    address = VisitorAddress(channel.remoteAddress)
    channel.closeFuture.whenComplete { [query, stream, desk] _ in
      query.withLockedValue { $0 }?.cancel()
      if let stream = stream.withLockedValue({ $0 }) { desk.closeStreamSoon(stream) }
    }
  }

  func respond(to request: HummingbirdCore.Request, _ writer: consuming ResponseWriter) async throws {
    await letOthersGoOn()
    let began = NIODeadline.now()
    requests.add(1, ordering: .relaxed)
    let outline = RequestOutline(request.head)
    var answer: HTTPAnswer
    do throws(HTTPProblem) {
      if let problem = site.rules.refusal(outline, isSecure: site.isSecure) { throw problem }
      answer = try await self.answer(request, outline.id, since: began)
    } catch {
      answer = await counted(HTTPAnswer(error), since: began)
    }
    site.finish(&answer, to: outline)
    try await write(answer, to: request.head, writer)
    withExtendedLifetime(answer.share) {}
  }

  private func letOthersGoOn() async {
    guard channel.eventLoop.inEventLoop else { return }
    let turn = LoopTurns.shared.turns
    let isEnough = taken.withLockedValue { taken in
      if taken.turn != turn { taken = (turn, 0) }
      taken.count += 1
      return taken.count > Self.requestsOfTurn
    }
    guard isEnough else { return }
    await withCheckedContinuation { continuation in
      LoopTurns.shared.execute(on: channel.eventLoop) { continuation.resume() }
    }
  }

  // MARK: What is answered

  private func answer(
    _ request: HummingbirdCore.Request, _ id: String, since began: NIODeadline
  ) async throws(HTTPProblem) -> HTTPAnswer {
    if request.method == .options { return await counted(site.options(request.head), since: began) }
    if let page = site.page(request.head) { return await counted(page, since: began) }
    if let metrics = await site.metrics(request.head, desk, from: address, progress) { return metrics }
    let headers = Headers(request.headers)
    // It counts where there is no If-Match (RFC 9110, section 13.1.4), and seconds tell too little of documents.
    if request.headers[.ifUnmodifiedSince] != nil, headers["If-Match"] == nil, request.method != .get,
      request.method != .head
    {
      throw .unmodifiedSince
    }
    var body: ByteBuffer?
    if request.hasBody {
      let coding = request.headers[.contentEncoding]?.lowercased() ?? "identity"
      guard coding == "identity" else { throw .unsupportedEncoding }
      let greeting = await desk.greet(headers, from: address)
      if let refusal = greeting.refusal {
        try? await Task.sleep(for: .milliseconds(greeting.delayMilliseconds))
        return HTTPAnswer(refusal)
      }
      if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > greeting.bodyBytes {
        throw tooLong(greeting.bodyBytes)
      }
      if request.headers[.expect]?.lowercased() == "100-continue" {
        try? await channel.triggerUserOutboundEvent(SayContinue())
      }
      body = try await collect(request.body, atMost: greeting.bodyBytes)
    }
    do throws(RequestError) {
      let native = try DocketWire.Request(request.head, body: body, depth: site.store.wireLimits.depth)
      let lacksBody = native.data == nil && request.head.storesBody
      switch await desk.answer(
        native, lacksBody: lacksBody, from: address, progress, id: id, cancellation: cancellation)
      {
      case .response(let response, let share):
        var answer = HTTPAnswer(response)
        answer.share = share
        return answer
      case .stream(let stream): return .events(stream)
      }
    } catch {
      return HTTPAnswer(await desk.answer(noRequest: error, from: address))
    }
  }

  /// The answer, unless there were too many requests: of those that never come to the store it is counted here.
  private func counted(_ answer: HTTPAnswer, since began: NIODeadline) async -> HTTPAnswer {
    let refusal = await withCheckedContinuation { continuation in
      desk.countOther(answer.status.code, since: began, from: address) { continuation.resume(returning: $0) }
    }
    return refusal.map(HTTPAnswer.init) ?? answer
  }

  private func collect(_ body: RequestBody, atMost limit: Int) async throws(HTTPProblem) -> ByteBuffer {
    do {
      let bytes = try await body.collect(upTo: limit)
      // The parts end as well where a body breaks off, which could be a document as far as it came.
      guard progress.endedRequests >= requests.load(ordering: .relaxed) else { throw HTTPProblem.incompleteBody }
      return bytes
    } catch let problem as HTTPProblem {
      throw problem
    } catch is NIOTooManyBytesError {
      throw tooLong(limit)
    } catch {
      throw .incompleteBody
    }
  }

  private func tooLong(_ limit: Int) -> HTTPProblem {
    HTTPProblem(
      .contentTooLarge, limit < site.store.wireLimits.frameBytes ? "authenticate_first" : "document_too_large",
      limit < site.store.wireLimits.frameBytes
        ? "Before a token is known a body may have \(limit) bytes (--stranger-frame-bytes); send a token with the request."
        : "A body may have \(limit) bytes at most (--max-document-bytes).")
  }

  private func cancellation() -> QueryCancellation {
    let cancellation = QueryCancellation()
    query.withLockedValue { $0 = cancellation }
    return cancellation
  }

  // MARK: How it is sent

  private func write(_ answer: HTTPAnswer, to head: HTTPRequest, _ writer: consuming ResponseWriter) async throws {
    var fields = HTTPFields(answer.fields)
    switch answer.body {
    case .none:
      if answer.status.mayHaveBody { fields[.contentLength] = "0" }
      try await writer.writeResponse(HTTPResponse(status: answer.status, headerFields: fields))
    case .bytes(var bytes):
      fields[.contentLength] = String(bytes.readableBytes)
      guard head.method != .head else {
        return try await writer.writeResponse(HTTPResponse(status: answer.status, headerFields: fields))
      }
      let response = HTTPResponse(status: answer.status, headerFields: fields)
      guard bytes.readableBytes > Compression.pieceBytes, head.headerFields[.acceptEncoding] != nil else {
        return try await writer.write(response: response, body: ResponseBody(byteBuffer: bytes))
      }
      var body = try await writer.writeHead(response)
      while let piece = bytes.readPiece() {
        await desk.compressionTurn()
        try await body.write(piece)
      }
      try await body.finish(nil)
    case .stream(let stream) where head.method == .head:
      await desk.closeStream(stream)
      try await writer.writeResponse(HTTPResponse(status: answer.status, headerFields: fields))
    case .stream(let stream):
      channel.boundKernelBuffer()
      self.stream.withLockedValue { $0 = stream }
      // It may have gone before.
      if !channel.isActive { desk.closeStreamSoon(stream) }
      do {
        var body = try await writer.writeHead(HTTPResponse(status: answer.status, headerFields: fields))
        while let events = await desk.next(of: stream) { try await body.write(events) }
        try await body.finish(nil)
      } catch {
        await desk.closeStream(stream)
        throw error
      }
      await desk.closeStream(stream)
    }
  }
}

extension HummingbirdCore.Request {
  /// Whether there may be one (RFC 9112, section 6.3).
  fileprivate var hasBody: Bool {
    headers[.transferEncoding] != nil || headers[.contentLength].map { $0 != "0" } ?? false
  }
}

extension HTTPRequest {
  /// Whether its body is what is stored. Without one the native protocol stores null, which over HTTP hardly anybody means.
  var storesBody: Bool {
    switch method {
    case .put: true
    case .post: path.map { !$0.contains("?") && !$0.hasPrefix("/_") } ?? false
    default: false
    }
  }
}

extension HTTPProblem {
  fileprivate static var unmodifiedSince: HTTPProblem {
    HTTPProblem(
      .badRequest, "invalid_condition",
      "If-Unmodified-Since is no condition here; send the document's ETag in If-Match, which misses no change.")
  }

  fileprivate static var unsupportedEncoding: HTTPProblem {
    HTTPProblem(
      .unsupportedMediaType, "unsupported_encoding",
      "A body is taken as it is, not compressed; leave out Content-Encoding, and send the JSON itself.")
  }

  fileprivate static var incompleteBody: HTTPProblem {
    HTTPProblem(.badRequest, "incomplete_body", "The body ended before it was whole.")
  }
}

extension HTTPFields {
  fileprivate init(_ headers: Headers) {
    self.init()
    for field in headers.fields {
      // Names of the service's own are HTTP's.
      if let name = HTTPField.Name(field.name) { append(HTTPField(name: name, value: field.value)) }
    }
  }
}

extension HTTPResponse.Status {
  fileprivate var mayHaveBody: Bool { code >= 200 && code != 204 && code != 304 }
}
