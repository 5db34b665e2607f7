import DocketJSON

/// Why the store did not do what was asked.
public enum StoreError: Error, Sendable, Equatable {
  // The request: nothing was changed, and repeating it as it is will not help.

  /// The document would be larger than the limit, in bytes, or nested deeper than the limit.
  case documentTooLarge(limit: Int)
  case documentTooDeep(limit: Int)
  /// A JSON Patch does not fit the document.
  case patchFailed(JSONPatchError)
  /// What is stored under this path is not JSON that can be served; it was written past the door for people.
  case invalidDocument(DocumentPath, reason: String)
  /// The moment asked for is before what is kept of history, which begins with this revision.
  case historyGone(oldest: Revision)
  /// The moment asked for has not come; this is the newest revision.
  case ahead(newest: Revision)
  /// The database refuses the write by a rule that is not Docket's: a trigger of its operator's.
  case refused(reason: String)
  /// Another document has the same values of fields that are unique in its collection.
  case duplicate(of: DocumentPath, fields: [String])
  /// Documents of the collection are changed on a condition only.
  case conditionRequired(CollectionPath)
  /// Fields cannot become unique, since these two documents have the same values of them.
  case notUnique(CollectionPath, fields: [String], first: String, second: String)
  /// An index cannot be made of the documents that there are.
  case indexNotMade(reason: String)
  /// All collections together would have more indexes than this.
  case tooManyIndexes(limit: Int)
  /// There is a backup of this name already.
  case backupExists(name: String)
  /// One backup is made at a time, and one copy is there to be fetched.
  case backupRunning
  /// Nothing says where backups are to lie.
  case noBackupFolder
  /// There is no room for a backup; sizes in bytes.
  case noRoomForBackup(needed: Int64, free: Int64)
  /// A backup would have faults, since the database has; the first of them.
  case backupFaulty(fault: String, faults: Int)
  /// A backup was not made, and nothing is left of it.
  case backupFailed(reason: String)
  /// A token that is not revoked has this name.
  case tokenExists(name: String)
  /// So many tokens hold that one more is not made.
  case tooManyTokens(limit: Int)
  /// Words cannot be searched in this collection: its settings name no texts.
  case noTextIndex(CollectionPath)
  /// What words are searched by is not as FTS5 takes it.
  case invalidText(reason: String)
  /// A query would have to look at more documents than it may without an index; it had looked at so many.
  case scanRefused(scanned: Int)
  /// A scan was told to end by its deadline, or a query because nobody waits for it any more.
  case deadlineExceeded

  // The moment: nothing was changed, and the same request may do later.

  /// Another process held the write lock for as long as a write may wait.
  case busy(waitedMilliseconds: Int64)
  /// So many bytes of writes wait that one more is not taken.
  case queueFull(limit: Int)
  /// So many long reads wait that one more is not taken.
  case tooManyScans(limit: Int)
  /// The disk is full. Reads go on; writes go on by themselves when there is room.
  case full
  /// The store is closing or has closed.
  case closed

  // The store: it takes no further writes, and the process should end.

  /// A commit failed in a way that leaves open whether its writes will be there after the next start.
  case outcomeUnknown(reason: String)
  /// A failure with no effect on what is stored: a read that went wrong, a broken file.
  case failed(reason: String)
}
