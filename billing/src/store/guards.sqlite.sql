create trigger if not exists audit_entry_fixed before update on audit_entry begin select raise(abort, 'audit entries are append-only'); end;
create trigger if not exists audit_entry_kept before delete on audit_entry begin select raise(abort, 'audit entries are append-only'); end;
create trigger if not exists audit_seal_fixed before update on audit_seal begin select raise(abort, 'audit seals are append-only'); end;
create trigger if not exists audit_seal_kept before delete on audit_seal begin select raise(abort, 'audit seals are append-only'); end;
