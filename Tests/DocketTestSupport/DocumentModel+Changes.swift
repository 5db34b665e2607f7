import DocketStore

/// What the list of all changes says of each.
extension DocumentModel {
  /// A change with the document as it was after it.
  public func told(_ change: Change, withBefore: Bool) -> DocketStore.Change {
    let kind: Version.Kind =
      switch change.kind {
      case .created: .created
      case .updated: .updated
      case .deleted: .deleted
      case .expired: .expired
      }
    return DocketStore.Change(
      sequence: change.sequence, kind: kind, path: change.path, at: change.at, batch: change.batch,
      document: document(at: change.path, asOf: change.sequence), before: withBefore ? change.before : nil)
  }

  func visitChanges(
    _ range: ChangeRange, of interest: ChangeInterest, visit: (DocketStore.Change) -> ScanStep
  ) -> Result<ChangeProgress, StoreError> {
    guard range.after <= revision else { return .failure(.ahead(newest: revision)) }
    guard range.after >= Revision(0) else { return .failure(.historyGone(oldest: Revision(0))) }
    let end = min(range.through ?? revision, revision)
    var progress = range.after
    for (looked, change) in changes.filter({ $0.sequence > range.after && $0.sequence <= end }).enumerated() {
      if looked == range.scanLimit { return .success(ChangeProgress(sequence: progress, isAtEnd: false)) }
      if change.path.withBytes(interest), case .stop = visit(told(change, withBefore: range.withBefore)) {
        return .success(ChangeProgress(sequence: progress, isAtEnd: false))
      }
      progress = change.sequence
    }
    return .success(ChangeProgress(sequence: progress, isAtEnd: true))
  }

  func document(at path: DocumentPath, asOf moment: PastMoment) -> Result<Document?, StoreError> {
    if moment.revision > revision { return .failure(.ahead(newest: revision)) }
    return .success(document(at: path, asOf: moment.revision).flatMap { moment.shows($0) ? $0 : nil })
  }
}

extension DocumentPath {
  fileprivate func withBytes<Result>(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result) -> Result {
    var (collection, id) = (collection.description, id)
    return collection.withUTF8 { collection in
      id.withUTF8 { body(UnsafeRawBufferPointer(collection), UnsafeRawBufferPointer($0)) }
    }
  }
}
