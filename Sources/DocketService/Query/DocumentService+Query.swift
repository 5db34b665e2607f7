import DocketStore
import DocketWire
import NIOCore

extension DocumentService {
  /// - Parameter cancellation: ends it early.
  func perform(_ request: QueryRequest, cancellation: QueryCancellation?, completion: @escaping (Response) -> Void) {
    moment(of: request) { [self] moment in
      switch moment {
      case .success(let moment):
        let query = Query(
          scope: request.scope, readable: request.readable, filter: request.filter, text: request.text, order: nil,
          moment: moment,
          scanLimit: limits.refusesScans && request.mayScan ? limits.scanWarningDocuments : nil)
        switch request.answer {
        case .page(let page): read(page, query, request, cancellation, completion)
        case .groups(let aggregation): compute(aggregation, query, request, cancellation, completion)
        }
      case .failure(let error): completion(error.response)
      }
    }
  }

  /// The moment of which the answer is to be; nil: now.
  private func moment(of request: QueryRequest, completion: @escaping (Result<PastMoment?, StoreError>) -> Void) {
    guard let asOf = request.asOf else { return completion(.success(nil)) }
    // All pages are of the moment of the first, which their cursors name.
    if case .page(let page) = request.answer, let revision = page.pinned {
      let time: Timestamp? = if case .time(let time) = asOf { time } else { nil }
      return completion(.success(PastMoment(revision: revision, time: time)))
    }
    moment(asOf) { completion($0.map { $0 }) }
  }

  // MARK: Pages

  private func read(
    _ page: QueryPageRequest, _ query: Query, _ request: QueryRequest, _ cancellation: QueryCancellation?,
    _ completion: @escaping (Response) -> Void
  ) {
    guard page.limit > 0 else {
      return count(QueryPage(page), nil, query, request, cancellation, completion)
    }
    let pageBytes = limits.pageBytes
    var pageQuery = query
    pageQuery.order = page.sort
    pageQuery.after = page.after
    // One document more shows that the page is not the last.
    pageQuery.limit = page.limit + 1
    pageQuery.limitBytes = pageBytes + 1
    func answer(_ result: Result<(state: QueryPage, report: QueryReport), StoreError>) {
      switch result {
      case .success((let found, let report)) where page.counts:
        count(found, report, query, request, cancellation, completion)
      case .success((var found, let report)):
        do throws(ParameterError) {
          let text = try found.finish(asOf: query.moment?.revision)
          completion(respond(to: request, query.moment, [report], behind: consume text))
        } catch {
          completion(.error(.badRequest, error.code, error.detail))
        }
      case .failure(let error): completion(request.response(to: error))
      }
    }
    if request.text != nil {
      session.search(
        pageQuery, cancellation: cancellation, into: QueryPage(page),
        visit: { page, match in page.add(match, bytes: pageBytes) }, completion: answer)
    } else {
      session.query(
        pageQuery, cancellation: cancellation, into: QueryPage(page),
        visit: { page, document in page.add(document, bytes: pageBytes) }, completion: answer)
    }
  }

  /// Counts what matches, behind the page: a second read, which may see what was written meanwhile.
  private func count(
    _ page: QueryPage, _ report: QueryReport?, _ query: Query, _ request: QueryRequest,
    _ cancellation: QueryCancellation?, _ completion: @escaping (Response) -> Void
  ) {
    session.count(query, cancellation: cancellation) { [self] result in
      switch result {
      case .success((let count, let ownReport)):
        var page = page
        do throws(ParameterError) {
          var text = try page.finish(asOf: query.moment?.revision)
          text.writeStaticString(", \"count\": ")
          text.writeDecimal(count)
          completion(respond(to: request, query.moment, [report, ownReport].compactMap { $0 }, behind: text))
        } catch {
          completion(.error(.badRequest, error.code, error.detail))
        }
      case .failure(let error): completion(request.response(to: error))
      }
    }
  }

  // MARK: Groups

  private func compute(
    _ aggregation: Aggregation, _ query: Query, _ request: QueryRequest, _ cancellation: QueryCancellation?,
    _ completion: @escaping (Response) -> Void
  ) {
    session.query(
      query, cancellation: cancellation, into: GroupTable(aggregation, limitBytes: limits.pageBytes),
      visit: { table, document in table.add(document) },
      completion: { [self] result in
        switch result {
        case .success((let table, let report)):
          if let refusal = table.refusal { return completion(refusal.response) }
          var text = ByteBuffer(staticString: "{\"groups\": ")
          table.write(into: &text)
          text.writeStaticString(", \"next\": null")
          completion(respond(to: request, query.moment, [report], behind: text))
        case .failure(let error): completion(request.response(to: error))
        }
      })
  }

  // MARK: What stands behind the results

  /// - Parameters:
  ///   - reports: of the reads that were made, the first of which is explained.
  ///   - results: the answer's object so far, its brace left open.
  private func respond(
    to request: QueryRequest, _ moment: PastMoment?, _ reports: [QueryReport], behind results: consuming ByteBuffer
  ) -> Response {
    var text = results
    if let moment {
      text.writeStaticString(", \"asOf\": ")
      text.writeDecimal(moment.revision.rawValue)
    }
    if request.isExplained, let report = reports.first { text.writeExplanation(report, of: request) }
    let scans = reports.filter { $0.unindexed > limits.scanWarningDocuments }
    if request.mayScan, let scan = scans.first { text.writeWarning(scan, index: request.helpfulIndex) }
    text.writeStaticString("}")
    return Response(.ok, data: text)
  }
}
