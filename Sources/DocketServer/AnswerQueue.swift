import DequeModule
import DocketService
import DocketStore
import DocketWire
import NIOCore

/// The answers that a connection owes, in the order of its requests, and what is known of those requests until they are out.
///
/// An answer that is not the first one due is kept; how much may be kept so is bounded.
struct AnswerQueue {
  /// An answer, or the place of one.
  struct Entry {
    /// For the log, if requests are logged and it was one.
    let request: RequestSummary?
    let kind: Operation.Kind
    /// What it writes, where that is known.
    var document: DocumentPath?
    let id: ByteBuffer?
    let withHeaders: Bool
    let isTerminated: Bool
    /// Of the request's frame.
    let bytes: Int
    var response: Response?
    /// Whether there is none in its place: a watch answers by frames of its own.
    var isElsewhere = false
  }

  /// Takes what the log is told of a request that was answered; nil for something that was no request.
  typealias Log = (RequestSummary?, Response) -> Void

  private let limits: ServerLimits
  private let logsRequests: Bool
  private var entries = Deque<Entry>()
  /// The number of the first of `entries`.
  private var firstNumber = 0
  private var open = OpenRequests()
  /// Of the frames of all entries.
  private var requestBytes = 0
  /// Of the data of answers that wait for one before them.
  private(set) var heldBytes = 0

  init(limits: ServerLimits, logsRequests: Bool) {
    self.limits = limits
    self.logsRequests = logsRequests
  }

  var isEmpty: Bool { entries.isEmpty }

  /// Whether a further request may be taken up.
  var hasRoom: Bool { entries.count < limits.pipelinedRequests && requestBytes < limits.pipelinedBytes }

  // MARK: Requests

  /// Whether an operation would see what it must if it began now, and is not in the way of others.
  /// - Parameters:
  ///   - bytes: of its frame.
  ///   - writesAreCrowded: whether much of all connections waits to be written. Then each has one write there, or several small ones.
  mutating func mayStart(_ operation: Operation, bytes: Int, writesAreCrowded: Bool) -> Bool {
    switch operation.kind {
    case .immediate: true
    case .read: open.reads == 0 && (open.writes == 0 || mayOvertake(operation))
    case .write:
      open.reads == 0
        && (!writesAreCrowded || open.writes == 0
          || (!operation.mayTakeLong && open.writeBytes + bytes <= Self.bytesInCrowd))
    }
  }

  private static let bytesInCrowd = 4 << 10

  /// Whether a read sees the same before the open writes are done. Its answer waits for theirs, so it is to be bounded
  /// what is held so.
  private mutating func mayOvertake(_ read: Operation) -> Bool {
    guard heldBytes < limits.sendBufferBytes, let path = read.document else { return false }
    if !open.knowsDocuments {
      open.learnDocuments(entries.lazy.filter { $0.response == nil }.compactMap(\.document))
    }
    return open.mayOvertakeWrites(reading: path)
  }

  /// Takes in a request that begins, or an answer whose turn will come.
  /// - Returns: its number.
  mutating func append(_ entry: Entry) -> Int {
    if let response = entry.response {
      heldBytes += response.data?.readableBytes ?? 0
    } else {
      open.begin(entry.kind, entry.document, bytes: entry.bytes)
    }
    requestBytes += entry.bytes
    entries.append(entry)
    return firstNumber + entries.count - 1
  }

  // MARK: Answers

  /// Takes an answer: writes it where it is the first that is due and there is room, and keeps it otherwise.
  mutating func answer(_ number: Int, with response: Response, into output: inout ByteBuffer, log: Log) {
    let index = number - firstNumber
    open.end(entries[index].kind, entries[index].document, bytes: entries[index].bytes)
    if index == 0, output.readableBytes < limits.sendBufferBytes {
      write(response, to: entries.removeFirst(), into: &output, log: log)
    } else {
      entries[index].response = response
      heldBytes += response.data?.readableBytes ?? 0
    }
  }

  /// A request is answered by what comes outside of the order of answers.
  mutating func answerElsewhere(_ number: Int) {
    let index = number - firstNumber
    open.end(.read, nil, bytes: 0)
    entries[index].isElsewhere = true
    entries[index].response = Response(.ok)
  }

  /// Writes the answers that are due, as long as the output is below its bound.
  mutating func writeDue(into output: inout ByteBuffer, log: Log) {
    while output.readableBytes < limits.sendBufferBytes, let response = entries.first?.response {
      heldBytes -= response.data?.readableBytes ?? 0
      write(response, to: entries.removeFirst(), into: &output, log: log)
    }
  }

  /// Writes the answer to the request that was the first of `entries`.
  private mutating func write(_ response: Response, to first: Entry, into output: inout ByteBuffer, log: Log) {
    if !first.isElsewhere {
      output.writeResponse(response, id: first.id, withHeaders: first.withHeaders, terminated: first.isTerminated)
    }
    if logsRequests { log(first.request, response) }
    firstNumber += 1
    requestBytes -= first.bytes
  }
}
