import DocketJSON
import DocketStore
import DocketWire
import NIOCore

extension Response {
  /// In the place of an answer that may be large.
  public static func answersWait(limit: Int) -> Response {
    retry(
      .serviceUnavailable, "overloaded",
      "More than \(limit) bytes of answers wait for clients that do not take them (--answer-total-bytes). Nothing was changed; try again.",
      afterSeconds: 1)
  }

  /// An error as everything but the original routes answers it: a stable code, and what is wrong and how to mend it.
  public static func error(_ status: Status, _ code: String, _ detail: String) -> Response {
    var data = ByteBuffer()
    data.writeError(code, detail)
    data.writeStaticString("}")
    return Response(status, data: data)
  }

  /// An error that tells one number more.
  static func error(
    _ status: Status, _ code: String, _ detail: String, member: StaticString, _ number: Int64?
  ) -> Response {
    var data = ByteBuffer()
    data.writeError(code, detail)
    data.writeStaticString(", \"")
    data.writeStaticString(member)
    data.writeStaticString("\": ")
    if let number { data.writeDecimal(number) } else { data.writeStaticString("null") }
    data.writeStaticString("}")
    return Response(status, data: data)
  }

  /// An error that time heals. How long to wait stands in the data too, for those who read no headers.
  public static func retry(_ status: Status, _ code: String, _ detail: String, afterSeconds seconds: Int) -> Response {
    var response = error(status, code, detail, member: "retryAfter", Int64(seconds))
    response.headers.append("Retry-After", String(seconds))
    return response
  }
}

extension Response {
  /// To somebody who may not know which.
  fileprivate static func duplicate(in collection: CollectionPath, fields: [String]) -> Response {
    error(
      .conflict, "duplicate",
      "Another document has the same \(fields.joined(separator: ", ")), which is unique in \(collection). Nothing was changed."
    )
  }

  /// `path` in the data is the other document's.
  fileprivate static func duplicate(of other: DocumentPath, fields: [String]) -> Response {
    var data = ByteBuffer()
    data.writeError(
      "duplicate",
      "The document \(other.requestPath) has the same \(fields.joined(separator: ", ")), which is unique in \(other.collection) (PUT /_collections\(other.collection)). Nothing was changed."
    )
    data.writeStaticString(", \"path\": ")
    data.writeJSONString(other.requestPath)
    data.writeStaticString("}")
    return Response(.conflict, data: data)
  }
}

extension Response {
  /// Of a backup. Sizes in bytes.
  fileprivate static func noRoom(needed: Int64, free: Int64) -> Response {
    var data = ByteBuffer()
    data.writeError(
      "disk_full",
      "There is no room for the backup: it needs \(needed) bytes, and \(free) are free for it where it would lie. Nothing is left of it; make room, or keep fewer backups."
    )
    data.writeStaticString(", \"needed\": ")
    data.writeDecimal(needed)
    data.writeStaticString(", \"free\": ")
    data.writeDecimal(free)
    data.writeStaticString("}")
    return Response(.insufficientStorage, data: data)
  }
}

extension ByteBuffer {
  /// The beginning of an error's object, its brace left open.
  mutating func writeError(_ code: String, _ detail: String) {
    writeStaticString("{\"error\": ")
    writeJSONString(code)
    writeStaticString(", \"detail\": ")
    writeJSONString(detail)
  }
}

extension JSONPatchError {
  /// 409 where a `test` failed, since the document may change; 422 where the patch does not fit or is none.
  var response: Response {
    let (status, code): (Status, String) =
      if case .testFailed = reason { (.conflict, "patch_test_failed") } else { (.unprocessable, "invalid_patch") }
    return .error(
      status, code, "\(description) Nothing was changed.", member: "operation", operation.map(Int64.init))
  }
}

/// What the store's errors are to a client: translated here and nowhere else.
extension StoreError {
  func response(_ form: WriteForm) -> Response {
    switch (form, self) {
    case (.documentAlone, .duplicate(let other, let fields)): return .duplicate(in: other.collection, fields: fields)
    case (.document, _), (.documentAlone, _): return response
    case (.original, _):
      // The original routes have no data in errors, but a client must still see how long to wait.
      let response = self.response
      return Response(response.status, headers: response.headers)
    }
  }

  public var response: Response {
    switch self {
    case .documentTooLarge(let limit):
      .error(
        .contentTooLarge, "document_too_large", "A document may have \(limit) bytes at most (--max-document-bytes).")
    case .documentTooDeep(let limit):
      .error(.unprocessable, "document_too_deep", "A document may nest \(limit) arrays and objects at most.")
    case .patchFailed(let error): error.response
    case .invalidDocument(let path, let reason):
      .error(
        .internalServerError, "invalid_document",
        "What is stored at \(path.requestPath) cannot be served: \(reason). Replace it with PUT, or mend it with sqlite3."
      )
    case .refused(let reason):
      .error(
        .unprocessable, "refused",
        "A rule of this database, a trigger or an index, refuses the write: \(reason). Nothing was changed.")
    case .historyGone(let oldest):
      .error(
        .gone, "history_gone",
        "That is before what is kept of history; the oldest revision that can be read is \(oldest) (--history-days, --history-share, --history-floor-bytes).",
        member: "oldestRevision", oldest.rawValue)
    case .ahead(let newest):
      .error(
        .conflict, "ahead",
        "That has not come yet: the newest revision is \(newest). A revision is good for one history of the database, which GET /_stats names.",
        member: "revision", newest.rawValue)
    case .duplicate(let other, let fields): .duplicate(of: other, fields: fields)
    case .conditionRequired(let collection):
      .error(
        .preconditionRequired, "precondition_required",
        "Documents of \(collection) are changed on a condition only: read the document and send If-Match with its ETag, or If-None-Match: * to create it. Nothing was changed."
      )
    case .notUnique(let collection, let fields, let first, let second):
      .error(
        .conflict, "not_unique",
        "\(fields.joined(separator: ", ")) cannot be unique in \(collection): the documents '\(first)' and '\(second)' have the same, and there may be more. Nothing was changed."
      )
    case .indexNotMade(let reason):
      .error(
        .unprocessable, "index_not_made",
        "An index could not be made: \(reason). A document may be no JSON that was written past the view 'documents'; GET of the collection names it. Nothing was changed."
      )
    case .tooManyIndexes(let limit):
      .error(
        .badRequest, "too_many_indexes",
        "All collections together may have \(limit) indexes, since each costs every write a little; DELETE /_collections/… gives some back."
      )
    case .backupExists(let name):
      .error(.conflict, "backup_exists", "There is a backup '\(name)' already; take another name, or DELETE it first.")
    case .backupRunning:
      .retry(
        .conflict, "backup_running",
        "A backup is being made, or a copy is there to be fetched; GET /_backups/ tells which, and how far it is. A copy that nobody fetches goes by itself (--backup-fetch-timeout), or by DELETE.",
        afterSeconds: 5)
    case .noBackupFolder:
      .error(
        .conflict, "no_backup_folder",
        "This server has no folder for backups: start it with --backup-folder. A copy for fetching, made without a name, needs none (docket backup FILE)."
      )
    case .noRoomForBackup(let needed, let free): .noRoom(needed: needed, free: free)
    case .backupFaulty(let fault, let faults):
      .error(
        .conflict, "database_faulty",
        "The database has \(faults) \(faults == 1 ? "fault" : "faults"), the first is \(fault). No backup was made, and those that there are stay; 'docket check' names all faults. {\"acceptFaults\": true} (docket backup --accept-faults) copies it as it is.",
        member: "faults", Int64(faults))
    case .backupFailed(let reason):
      .error(.internalServerError, "backup_failed", "The backup was not made, and nothing is left of it: \(reason).")
    case .tokenExists(let name):
      .error(
        .conflict, "token_exists", "There is a token '\(name)' already; take another name, or revoke it first.")
    case .tooManyTokens(let limit):
      .error(
        .conflict, "too_many_tokens",
        "\(limit) tokens hold already (--max-tokens); revoke some, or make them with an end (expiresIn).")
    case .noTextIndex(let collection):
      .error(
        .badRequest, "no_text_index",
        "Words are not searched in \(collection): its setting 'text' names the fields to search, as in PUT /_collections\(collection) with {\"text\": [\"title\", \"body\"]} beside what else is set."
      )
    case .invalidText(let reason):
      .error(
        .badRequest, "invalid_text",
        "'$text' cannot be read: \(reason). Words stand side by side or between AND, OR and NOT; what holds more than letters and digits stands in double quotes, as in \"swift-nio\" (https://sqlite.org/fts5.html#full_text_query_syntax)."
      )
    case .scanRefused(let scanned): .scanRefused(scanned: scanned, index: [])
    case .deadlineExceeded:
      .retry(
        .serviceUnavailable, "deadline_exceeded",
        "This took longer than it may (--scan-timeout; of a query, --query-timeout; of a batch, --batch-timeout); ask for less at once. Nothing was changed.",
        afterSeconds: 1)
    case .busy(let waited):
      .retry(
        .serviceUnavailable, "busy",
        "Another process held the database's write lock for \(waited) ms (--busy-timeout). Nothing was changed; try again.",
        afterSeconds: 1)
    case .queueFull(let limit):
      .retry(
        .serviceUnavailable, "overloaded",
        "More than \(limit) bytes of writes are waiting (--write-queue-bytes). Nothing was changed; try again.",
        afterSeconds: 1)
    case .tooManyScans(let limit):
      .retry(
        .serviceUnavailable, "overloaded",
        "\(limit) readings of collections are waiting already (--scan-queue-length); try again.", afterSeconds: 1)
    case .full:
      .error(
        .insufficientStorage, "disk_full",
        "There is no room on the disk. Nothing was changed; reads go on, and writes will when there is room.")
    case .closed:
      .retry(.serviceUnavailable, "closing", "The server is ending. Nothing was changed.", afterSeconds: 1)
    case .outcomeUnknown(let reason):
      .error(
        .internalServerError, "outcome_unknown",
        "The write may or may not be kept: \(reason). Read before you repeat it; the server is ending.")
    case .failed(let reason):
      .error(.internalServerError, "store_failed", "The store failed: \(reason). Nothing was changed.")
    }
  }
}
