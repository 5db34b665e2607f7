import DocketStore

/// A model has no place for backups.
extension InMemorySession {
  func makeBackup(
    named name: BackupName?, acceptingFaults acceptsFaults: Bool,
    completion: @escaping (Result<NewBackup, StoreError>) -> Void
  ) { answer(.failure(.noBackupFolder), completion) }

  func backups(completion: @escaping (Result<BackupList, StoreError>) -> Void) {
    answer(.success(BackupList(items: [])), completion)
  }

  func readBackup(
    _ name: BackupName, from offset: Int64, completion: @escaping (Result<BackupPiece?, StoreError>) -> Void
  ) { answer(.success(nil), completion) }

  func removeBackup(_ name: BackupName, completion: @escaping (Result<Bool, StoreError>) -> Void) {
    answer(.success(false), completion)
  }

  private func answer<Value: Sendable>(
    _ result: Result<Value, StoreError>, _ completion: @escaping (Result<Value, StoreError>) -> Void
  ) {
    let ticket = answers.expect(completion)
    deliver { [answers] in answers.complete(ticket, with: result) }
  }
}
