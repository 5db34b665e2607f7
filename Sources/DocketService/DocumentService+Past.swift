import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  func perform(_ operation: PastOperation, withHeaders: Bool, completion: @escaping (Response) -> Void) {
    switch operation {
    case .readDocument(let path, let asOf, let condition):
      document(path, asOf) { result in
        completion(DocumentOperations.response(to: result, condition, withHeaders: withHeaders, none: .noDocumentThen))
      }
    case .readPage(let request, let asOf): readPage(request, asOf, completion: completion)
    case .readVersions(let request): readVersions(request, completion: completion)
    case .restore(let path, let asOf, let terms, let key, let form):
      restore(path, asOf, terms, key, form, withHeaders: withHeaders, completion: completion)
    }
  }

  /// Finds the moment that a request means: which revision was the newest at a time is for the store to say.
  func moment(_ asOf: AsOf, completion: @escaping (Result<PastMoment, StoreError>) -> Void) {
    switch asOf {
    case .revision(let revision): completion(.success(PastMoment(revision: revision)))
    case .time(let time):
      session.revision(at: time) { result in completion(result.map { PastMoment(revision: $0, time: time) }) }
    }
  }

  private func document(
    _ path: DocumentPath, _ asOf: AsOf, completion: @escaping (Result<Document?, StoreError>) -> Void
  ) {
    moment(asOf) { [session] moment in
      switch moment {
      case .success(let moment): session.document(at: path, asOf: moment, completion: completion)
      case .failure(let error): completion(.failure(error))
      }
    }
  }

  // MARK: Collections

  private func readPage(_ request: PageRequest, _ asOf: AsOf, completion: @escaping (Response) -> Void) {
    // All pages are of the moment of the first, which their cursors name.
    if let revision = request.pinned {
      let time: Timestamp? = if case .time(let time) = asOf { time } else { nil }
      return readPage(request, PastMoment(revision: revision, time: time), completion: completion)
    }
    moment(asOf) { [self] moment in
      switch moment {
      case .success(let moment): readPage(request, moment, completion: completion)
      case .failure(let error): completion(error.response)
      }
    }
  }

  private func readPage(_ request: PageRequest, _ moment: PastMoment, completion: @escaping (Response) -> Void) {
    let pageBytes = limits.pageBytes
    session.scan(
      request.collection, after: request.after, asOf: moment, into: Page(),
      visit: { page, document in document.withView { page.add($0, limit: request.limit, bytes: pageBytes) } },
      completion: { result in
        switch result {
        case .success((var page, let stoppedBehind)):
          let text = page.finish(in: request.collection, asOf: moment.revision, stoppedBehind: stoppedBehind)
          completion(Response(.ok, data: text))
        case .failure(let error): completion(error.response)
        }
      })
  }

  // MARK: Versions

  private func readVersions(_ request: VersionsRequest, completion: @escaping (Response) -> Void) {
    session.versions(
      of: request.path, before: request.before, into: VersionList(limit: request.limit),
      visit: { list, version in list.add(version) },
      completion: { result in
        switch result {
        case .success(var list?): completion(Response(.ok, data: list.finish(request)))
        case .success(nil):
          completion(.error(.notFound, "not_found", "There is no document at this path, and none is in history."))
        case .failure(let error): completion(error.response)
        }
      })
  }

  // MARK: Restoring

  /// Reads what was, where nobody waits for it, and writes it: what is in history does not change meanwhile.
  private func restore(
    _ path: DocumentPath, _ asOf: AsOf, _ terms: WriteTerms, _ key: IdempotencyKey?, _ form: WriteForm,
    withHeaders: Bool, completion: @escaping (Response) -> Void
  ) {
    document(path, asOf) { [self] result in
      let refusal: Response
      switch result {
      case .success(let document?):
        let write = Write(.put(path, data: document.data), terms: terms)
        return afterRead { service in
          guard let key else {
            return DocumentOperations(access: service.session, limits: service.limits, room: service.answers)
              .perform(.write(write, answeredAs: form), withHeaders: withHeaders, completion: completion)
          }
          service.perform(write, under: key, form, completion: completion)
        }
      case .success(nil): refusal = .noDocumentThen
      case .failure(let error): refusal = error.response
      }
      guard let key else { return completion(refusal) }
      // It may have been restored before, when its history was still there.
      afterRead { service in service.tell(refusal, unlessKeptUnder: key, completion: completion) }
    }
  }

  /// Runs what writes in a tick. The answer of a long read comes outside of any, but for one that was refused at once.
  private func afterRead(_ work: (DocumentService) -> Void) {
    guard !session.isInTick else { return work(self) }
    session.beginTick()
    work(self)
    session.endTick()
  }
}

private struct VersionList: Sendable {
  private var text = ByteBuffer(staticString: "{\"versions\": [")
  private let limit: Int
  private var count = 0
  private var last: Revision?
  private var isCut = false

  init(limit: Int) { self.limit = limit }

  mutating func add(_ version: Version) -> ScanStep {
    guard count < limit else {
      isCut = true
      return .stop
    }
    text.writeStaticString(count > 0 ? ", {\"revision\": " : "{\"revision\": ")
    text.writeDecimal(version.revision.rawValue)
    text.writeStaticString(", \"time\": ")
    text.writeJSONString(version.time.rfc3339)
    text.writeStaticString(", \"kind\": ")
    if let kind = version.kind { text.writeJSONString(kind.rawValue) } else { text.writeStaticString("null") }
    text.writeStaticString(", \"size\": ")
    if let bytes = version.bytes { text.writeDecimal(bytes) } else { text.writeStaticString("null") }
    text.writeStaticString("}")
    count += 1
    last = version.revision
    return .next
  }

  mutating func finish(_ request: VersionsRequest) -> ByteBuffer {
    text.writeStaticString("], \"next\": ")
    if isCut, let last {
      text.writeJSONString(request.cursor(behind: last).text)
    } else {
      text.writeStaticString("null")
    }
    text.writeStaticString("}")
    return text
  }
}

extension Response {
  fileprivate static var noDocumentThen: Response {
    .error(.notFound, "not_found", "There was no document at this path then.")
  }
}
