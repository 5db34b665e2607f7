import DocketJSON
import DocketService
import DocketStore
import DocketTestSupport
import DocketWire
import NIOCore

/// The service on a repository in memory, as requests meet it.
struct QueryService {
  private let driver: SessionDriver
  private let limits: ServiceLimits
  private let answers: AnswerRoom

  init(limits: ServiceLimits = ServiceLimits(), answers: AnswerRoom = AnswerRoom(limitBytes: .max)) throws {
    driver = try SessionDriver(InMemoryRepository())
    self.limits = limits
    self.answers = answers
  }

  func put(_ collection: String, _ documents: KeyValuePairs<String, String>) async throws {
    for (id, json) in documents { _ = try await driver.write(.put(collection, id, json)) }
  }

  func delete(_ collection: String, _ id: String) async throws {
    _ = try await driver.write(.delete(collection, id))
  }

  /// The answer to a GET: its code and its data.
  func get(_ path: String, _ data: String? = nil) async -> (code: Int, data: String) {
    await ask(.get, path, data)
  }

  func ask(_ method: Method, _ path: String, _ data: String? = nil) async -> (code: Int, data: String) {
    let operation = Self.operation(method, path, data)
    let response = await withCheckedContinuation { continuation in
      driver.tick { [limits, answers] session in
        DocumentService(session: session, limits: limits, answers: answers).perform(operation, withHeaders: false) {
          continuation.resume(returning: $0)
        }
      }
    }
    return (response.status.rawValue, response.data.map { String(buffer: $0) } ?? "")
  }

  static func operation(
    _ method: Method, _ path: String, _ data: String? = nil, _ headers: Headers? = nil
  ) -> Operation {
    let request = Request(
      method: method, path: ByteBuffer(string: path), data: data.map { ByteBuffer(string: $0) }, headers: headers)
    return Router(limits: WireLimits()).operation(for: request)
  }

  /// The ids of an answer's items, with spaces between them.
  static func ids(_ data: String) -> String {
    data.components(between: "\"id\": \"", and: "\"").joined(separator: " ")
  }

  /// What the items of an answer show of their documents.
  static func documents(_ data: String) -> [String] {
    data.components(between: "\"document\": ", and: "}, {\"path\"").map { document in
      document.components(between: "", and: "}], \"next\"").first ?? document
    }
  }

  static func next(_ data: String) -> String? {
    data.components(between: "\"next\": \"", and: "\"").first
  }
}

extension String {
  /// The texts that stand between the one and the next other; of the last one whatever is left.
  func components(between start: String, and end: String) -> [String] {
    var found: [String] = []
    var rest = self[...]
    while let open = start.isEmpty ? rest.startIndex..<rest.startIndex : rest.firstRange(of: start) {
      rest = rest[open.upperBound...]
      guard let close = rest.firstRange(of: end) else {
        found.append(String(rest))
        break
      }
      found.append(String(rest[..<close.lowerBound]))
      rest = rest[close.upperBound...]
    }
    return found
  }
}
