import DocketStore

extension SessionDriver {
  public func makeBackup(_ name: String?, acceptsFaults: Bool = false) async throws -> NewBackup {
    let name = name.flatMap { BackupName($0) }
    return try await answer { session, completion in
      session.makeBackup(named: name, acceptingFaults: acceptsFaults, completion: completion)
    }
  }

  public func backups() async throws -> BackupList {
    try await answer { session, completion in session.backups(completion: completion) }
  }

  public func readBackup(_ name: BackupName, from offset: Int64 = 0) async throws -> BackupPiece? {
    try await answer { session, completion in session.readBackup(name, from: offset, completion: completion) }
  }

  public func removeBackup(_ name: BackupName) async throws -> Bool {
    try await answer { session, completion in session.removeBackup(name, completion: completion) }
  }
}

extension RepositoryConformance {
  static let backupChecks: [Check] = [
    Check("a store that has no place for backups has none, and says so where one is to be kept") { repository in
      let driver = try SessionDriver(repository)
      guard let name = BackupName("monday.db") else { throw Failure(description: "that is a backup's name") }
      do {
        _ = try await driver.makeBackup(name.text)
        throw Failure(description: "a backup was made")
      } catch let error as StoreError {
        try expectEqual(error, .noBackupFolder)
      }
      try expectEqual(try await driver.backups(), BackupList(items: []))
      try expectEqual(try await driver.readBackup(name), nil)
      try expectEqual(try await driver.removeBackup(name), false)
    },
    Check("a store that prepares to close goes on with all that does not take long") { repository in
      let driver = try SessionDriver(repository)
      repository.prepareToClose()
      _ = try await driver.write(.put("/a/", "1", "1"))
      try expectEqual(try await driver.page(CollectionPath(unchecked: "/a/")).map(\.path.id), ["1"])
      try expectEqual(try await driver.backups(), BackupList(items: []))
    },
  ]
}
