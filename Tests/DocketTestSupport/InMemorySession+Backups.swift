import DocketStore

/// A model has no files.
extension InMemorySession {
  func makeBackup(named name: BackupName?, completion: @escaping (Result<NewBackup, StoreError>) -> Void) {
    refuse(completion)
  }

  func backups(completion: @escaping (Result<BackupList, StoreError>) -> Void) {
    let ticket = answers.expect(completion)
    deliver { [answers] in
      let list: Result<BackupList, StoreError> = .success(BackupList(items: [], running: nil))
      answers.complete(ticket, with: list)
    }
  }

  func readBackup(
    _ name: BackupName, from offset: Int64, completion: @escaping (Result<BackupPiece?, StoreError>) -> Void
  ) { refuse(completion) }

  func removeBackup(_ name: BackupName, completion: @escaping (Result<Bool, StoreError>) -> Void) {
    refuse(completion)
  }

  private func refuse<Value: Sendable>(_ completion: @escaping (Result<Value, StoreError>) -> Void) {
    let ticket = answers.expect(completion)
    deliver { [answers] in
      let refusal: Result<Value, StoreError> = .failure(.noBackupFolder)
      answers.complete(ticket, with: refusal)
    }
  }
}
